/*
title = "Students enrolled in the state in the year before one asked for, by status and career cluster"
description = "What enrollment_figure has for the state; of a year that is asked for itself, it is there."
grain = ["report_year", "education_level", "status", "group_kind", "group_code", "career_cluster"]
authority = "specification: indicators, Enrollment counts; federal-report, Data checks: change from the year before"
*/
WITH program_cell AS (
    SELECT report_year, program_key, 'all' AS career_cluster FROM program_as_of
    UNION ALL
    SELECT report_year, program_key, career_cluster FROM program_cluster
),
of_program AS (
    SELECT e.report_year, e.program_key, e.cell, roster(e.student_key, CAST(1 AS BIGINT), CAST(0 AS BIGINT), e.groups, e.is_only) AS students
    FROM report_year AS q
    JOIN enrolled AS e ON e.report_year = q.report_year
    WHERE NOT q.is_requested
    GROUP BY e.report_year, e.program_key, e.cell
),
counted AS (
    SELECT c.report_year, c.cell, p.career_cluster, unnest(tally(c.students)) AS figure
    FROM program_cell AS p
    JOIN of_program AS c ON c.report_year = p.report_year AND c.program_key = p.program_key
    GROUP BY c.report_year, c.cell, p.career_cluster
)
SELECT
    c.report_year,
    CASE c.cell WHEN 1 THEN 'middle' WHEN 2 THEN 'postsecondary' WHEN 3 THEN 'postsecondary' ELSE 'secondary' END AS education_level,
    CASE c.cell WHEN 2 THEN 'concentrator' WHEN 4 THEN 'concentrator' ELSE 'participant' END AS status,
    g.group_kind, g.group_code, c.career_cluster, c.figure['denominator'] AS students
FROM counted AS c
JOIN figure_group AS g ON g.group_bit = c.figure['group_bit']
