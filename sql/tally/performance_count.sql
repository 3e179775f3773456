/*
title = "Students in each figure, by number of entity, measure and group"
description = "Each student once in an entity, and once in each of its career clusters: see the aggregate tally."
grain = ["report_year", "entity_key", "measure", "group_bit", "cluster_order"]
authority = "specification: indicators, A student counts at most once in an entity's figure"
[columns]
entity_key = "Number of the entity"
measure = "Number of the measure"
group_bit = "Number of the student group"
cluster_order = "Order of the career cluster; null where it is no matter"
*/
WITH cluster AS (
    SELECT k.report_year, k.program_key, g.group_order
    FROM program_cluster AS k
    JOIN figure_group AS g ON g.group_kind = 'career_cluster' AND g.group_code = k.career_cluster
),
counted AS (
    SELECT c.report_year, e.entity_key, CAST(NULL AS BIGINT) AS cluster_order, unnest(tally(c.by_group)) AS figure
    FROM program_entity AS e
    JOIN program_roster AS c ON c.report_year = e.report_year AND c.program_key = e.program_key
    GROUP BY c.report_year, e.entity_key, c.education_level
    UNION ALL
    SELECT c.report_year, e.entity_key, k.group_order AS cluster_order, unnest(tally(c.by_cluster)) AS figure
    FROM program_entity AS e
    JOIN cluster AS k ON k.report_year = e.report_year AND k.program_key = e.program_key
    JOIN program_roster AS c ON c.report_year = e.report_year AND c.program_key = e.program_key
    WHERE e.has_groups
    GROUP BY c.report_year, e.entity_key, k.group_order
    UNION ALL
    SELECT c.report_year, e.entity_key, CAST(NULL AS BIGINT) AS cluster_order, unnest(tally(c.by_breakdown)) AS figure
    FROM program_entity AS e
    JOIN program_roster AS c ON c.report_year = e.report_year AND c.program_key = e.program_key
    WHERE e.has_groups
    GROUP BY c.report_year, e.entity_key
)
SELECT
    report_year, entity_key, cluster_order, figure['measure'] AS measure, figure['group_bit'] AS group_bit,
    figure['numerator'] AS numerator, figure['denominator'] AS denominator
FROM counted
