/*
title = "Enrollment counts"
description = "Students with a course or program enrollment in the report year in an approved program, by status and career cluster; each student once in each cell."
grain = ["report_year", "education_level", "status", "level", "entity_id", "group_kind", "group_code", "career_cluster"]
authority = "specification: indicators, Enrollment counts; outputs, enrollment_count"
restricted = true
[columns]
report_year = "Report year: 2024 is 1 July 2023 to 30 June 2024"
entity_id = "Id of the entity; for the state, the jurisdiction's code"
entity_name = "Latest name given, else the id"
group_code = "Code of the group"
education_level = "middle, secondary or postsecondary"
status = "participant (or more) or concentrator"
level = "state, grantee, district, institution or program"
group_kind = "all, gender, race_ethnicity or special_population"
career_cluster = "Code of the cluster, or all"
students = "Students, each once"
*/
WITH counted AS (
    SELECT c.report_year, c.education_level, c.status, e.entity_key, 'all' AS career_cluster,
        unnest(tally(c.student_key, CAST(1 AS BIGINT), CAST(0 AS BIGINT), c.groups)) AS figure
    FROM program_entity AS e
    JOIN enrolled AS c ON c.report_year = e.report_year AND c.program_key = e.program_key
    GROUP BY c.report_year, c.education_level, c.status, e.entity_key
    UNION ALL
    SELECT c.report_year, c.education_level, c.status, e.entity_key, k.career_cluster,
        unnest(tally(c.student_key, CAST(1 AS BIGINT), CAST(0 AS BIGINT), c.groups)) AS figure
    FROM program_entity AS e
    JOIN program_cluster AS k ON k.report_year = e.report_year AND k.program_key = e.program_key
    JOIN enrolled AS c ON c.report_year = e.report_year AND c.program_key = e.program_key
    GROUP BY c.report_year, c.education_level, c.status, e.entity_key, k.career_cluster
)
SELECT
    c.report_year, c.education_level, c.status, e.level, e.entity_id, e.entity_name, g.group_kind, g.group_code, c.career_cluster,
    c.figure['denominator'] AS students
FROM counted AS c
JOIN entity AS e ON e.report_year = c.report_year AND e.entity_key = c.entity_key
JOIN student_group AS g ON g.group_bit = c.figure['group_bit']
ORDER BY c.report_year, c.education_level, c.status, e.entity_key, g.group_kind, g.group_code, c.career_cluster
