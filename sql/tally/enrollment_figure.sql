/*
title = "Students enrolled, by status and career cluster, each once in each cell"
grain = ["report_year", "education_level", "status", "level", "entity_id", "group_kind", "group_code", "career_cluster"]
authority = "specification: indicators, Enrollment counts"
[columns]
place = "Order by report year, level of education, status, entity, group and cluster, as one number"
*/
WITH cluster AS (
    SELECT career_cluster, row_number() OVER (ORDER BY career_cluster) AS cluster_order
    FROM (SELECT DISTINCT career_cluster FROM program_cluster UNION ALL SELECT 'all') AS listed
),
-- The cells of a program: all clusters together, and each of its own.
program_cell AS (
    SELECT e.report_year, e.program_key, e.entity_key, c.cluster_order
    FROM cluster AS c
    CROSS JOIN program_entity AS e
    WHERE c.career_cluster = 'all'
    UNION ALL
    SELECT e.report_year, e.program_key, e.entity_key, c.cluster_order
    FROM cluster AS c
    JOIN program_cluster AS k ON k.career_cluster = c.career_cluster
    JOIN program_entity AS e ON e.report_year = k.report_year AND e.program_key = k.program_key
),
-- What each program hands to its entities: see the aggregate roster.
of_program AS (
    SELECT e.report_year, e.program_key, e.cell, roster(e.student_key, CAST(1 AS BIGINT), CAST(0 AS BIGINT), e.groups, e.is_only) AS students
    FROM requested AS q
    JOIN enrolled AS e ON e.report_year = q.report_year
    GROUP BY e.report_year, e.program_key, e.cell
),
counted AS (
    SELECT c.report_year, c.cell, e.entity_key, e.cluster_order, unnest(tally(c.students)) AS figure
    FROM program_cell AS e
    JOIN of_program AS c ON c.report_year = e.report_year AND c.program_key = e.program_key
    GROUP BY c.report_year, c.cell, e.entity_key, e.cluster_order
),
placed AS (
    SELECT e.report_year, c.cell, e.level, e.entity_id, e.entity_name, c.cluster_order, c.figure['denominator'] AS students,
        c.figure['group_bit'] AS group_bit, e.entity_key
    FROM entity AS e
    JOIN counted AS c ON c.entity_key = e.entity_key
)
SELECT
    p.report_year,
    CASE p.cell WHEN 1 THEN 'middle' WHEN 2 THEN 'postsecondary' WHEN 3 THEN 'postsecondary' ELSE 'secondary' END AS education_level,
    CASE p.cell WHEN 2 THEN 'concentrator' WHEN 4 THEN 'concentrator' ELSE 'participant' END AS status,
    p.level, p.entity_id, p.entity_name, g.group_kind, g.group_code, k.career_cluster, p.students,
    (((CAST(p.report_year AS BIGINT) * 8 + p.cell) * 16777216 + p.entity_key) * 1024 + g.group_order) * 64 + k.cluster_order AS place
FROM figure_group AS g
CROSS JOIN cluster AS k
JOIN placed AS p ON p.group_bit = g.group_bit AND p.cluster_order = k.cluster_order
