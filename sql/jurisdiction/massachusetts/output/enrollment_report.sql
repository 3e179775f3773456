/*
title = "Enrollment in state-designated CTE programs"
description = "Students by grade, with number and percent of each gender, race and ethnicity, and selected population."
grain = ["report_year", "level", "entity_id", "grade", "group_kind", "group_code"]
authority = "Massachusetts DESE, Reporting & Data Resources page (May 2026), CCTE Pathways and Programs Enrollment; specification: massachusetts, Enrollment report"
restricted = true
[columns]
report_year = "Report year: 2024 is 1 July 2023 to 30 June 2024"
level = "state, district or institution of the program"
entity_id = "Id of the entity; for the state, the jurisdiction's code"
grade = "09 to 12, SP (special education beyond grade 12), or all"
group_kind = "all, gender, race_ethnicity or selected_population"
group_code = "Code of the group; high_needs is any of english_learner, students_with_disabilities and low_income"
students = "Students, each once"
percent = "100 times students by all students of the entity and grade"
*/
WITH placed AS (
    SELECT
        a.report_year, v.level, a.student_key, a.groups, CASE WHEN s.is_all THEN 'all' ELSE a.grade END AS grade,
        CASE v.level WHEN 'state' THEN j.code WHEN 'district' THEN a.district_id ELSE a.institution_id END AS entity_id
    FROM jurisdiction AS j
    CROSS JOIN (VALUES ('state'), ('district'), ('institution')) AS v (level)
    CROSS JOIN (VALUES (TRUE), (FALSE)) AS s (is_all)
    CROSS JOIN designated_student AS a
),
counted AS (
    SELECT report_year, level, entity_id, grade, unnest(tally(student_key, CAST(1 AS BIGINT), CAST(0 AS BIGINT), groups)) AS figure
    FROM placed
    WHERE entity_id IS NOT NULL
    GROUP BY report_year, level, entity_id, grade
),
figure AS (
    SELECT
        report_year, level, entity_id, grade, figure['group_bit'] AS group_bit, figure['denominator'] AS students,
        max(figure['denominator']) OVER (PARTITION BY report_year, level, entity_id, grade) AS all_students
    FROM counted
)
SELECT
    f.report_year, f.level, f.entity_id, f.grade, g.group_kind, g.group_code, f.students,
    CAST(100 * f.students AS DOUBLE) / CAST(f.all_students AS DOUBLE) AS percent
FROM report_group AS g
JOIN figure AS f ON f.group_bit = g.group_bit
WHERE g.report = 'enrollment_report'
ORDER BY f.report_year, f.level, f.entity_id, f.grade, g.group_kind, g.group_code
