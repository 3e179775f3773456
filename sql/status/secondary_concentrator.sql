/*
title = "Concentrators of secondary programs with what the secondary indicators ask of them"
description = "Students with no enrollment, course, program enrollment, exit, score or cohort in the report year or the one before are left out."
grain = ["report_year", "student_key", "program_key"]
authority = "specification: indicators, The indicators; Exits"
[columns]
cohort_year = "The latest cohort year given"
exit_kind = "Kind of the last exit that stands"
exit_year = "Its year"
exit_quarter = "Its calendar quarter, counted on"
is_removed = "The last exit takes the student out of the graduation cohort"
is_graduate = "The last exit is a diploma that graduates"
is_enrolled = "Enrolled in grade 09 to 12 or SP in the report year"
*/
WITH tested AS (
    SELECT DISTINCT report_year, student_key
    FROM academic_score
    WHERE score_year = report_year
),
active AS (
    SELECT report_year, student_key, max(last_school_year) AS last_school_year
    FROM student_program_status
    GROUP BY report_year, student_key
)
SELECT
    c.report_year, c.student_key, c.program_key, c.approval, c.is_primary, c.has_traditional_gender, c.is_nontraditional, c.groups,
    s.cohort_year, x.exit_kind, x.exit_date, x.exit_year, x.exit_quarter,
    coalesce(x.is_removal, FALSE) AS is_removed,
    coalesce(x.is_graduation, FALSE) AS is_graduate,
    coalesce(e.last_high_school_year = c.report_year, FALSE) AS is_enrolled
FROM concentrator AS c
JOIN student_as_of AS s ON s.report_year = c.report_year AND s.student_key = c.student_key
JOIN active AS v ON v.report_year = c.report_year AND v.student_key = c.student_key
LEFT JOIN last_exit AS x ON x.report_year = c.report_year AND x.student_key = c.student_key
LEFT JOIN enrollment_as_of AS e ON e.report_year = c.report_year AND e.student_key = c.student_key
LEFT JOIN tested AS t ON t.report_year = c.report_year AND t.student_key = c.student_key
WHERE c.education_level = 'secondary'
    AND (v.last_school_year >= c.report_year - 1 OR e.last_enrollment_year >= c.report_year - 1 OR x.exit_year >= c.report_year - 1
        OR s.cohort_year BETWEEN c.report_year - 1 AND c.report_year OR t.student_key IS NOT NULL)
