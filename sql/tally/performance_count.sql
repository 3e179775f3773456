/*
title = "Students in each figure, by number of entity, measure and group"
description = "Each student once in an entity, and once in each of its career clusters: see the aggregate tally."
grain = ["report_year", "entity_key", "measure", "group_bit", "career_cluster"]
authority = "specification: indicators, A student counts at most once in an entity's figure"
[columns]
entity_key = "Number of the entity"
measure = "Number of the measure"
group_bit = "Number of the student group"
*/
WITH counted AS (
    SELECT c.report_year, e.entity_key, CAST(NULL AS VARCHAR) AS career_cluster,
        unnest(tally(c.student_key, c.denominators, c.numerators, CASE WHEN e.has_groups THEN c.groups ELSE 1 END)) AS figure
    FROM program_entity AS e
    JOIN candidate AS c ON c.report_year = e.report_year AND c.program_key = e.program_key
    GROUP BY c.report_year, e.entity_key, c.education_level
    UNION ALL
    SELECT c.report_year, e.entity_key, k.career_cluster,
        unnest(tally(c.student_key, c.denominators, c.numerators, CAST(1 AS BIGINT))) AS figure
    FROM candidate AS c
    JOIN program_entity AS e ON e.report_year = c.report_year AND e.program_key = c.program_key AND e.has_groups
    JOIN program_cluster AS k ON k.report_year = c.report_year AND k.program_key = c.program_key
    GROUP BY c.report_year, e.entity_key, k.career_cluster
    UNION ALL
    SELECT c.report_year, e.entity_key, CAST(NULL AS VARCHAR) AS career_cluster,
        unnest(tally(c.student_key, c.breakdown_denominators, c.breakdown_numerators, CAST(1 AS BIGINT))) AS figure
    FROM candidate AS c
    JOIN program_entity AS e ON e.report_year = c.report_year AND e.program_key = c.program_key AND e.has_groups
    WHERE c.breakdown_denominators <> 0
    GROUP BY c.report_year, e.entity_key
)
SELECT
    report_year, entity_key, career_cluster, figure['measure'] AS measure, figure['group_bit'] AS group_bit,
    figure['numerator'] AS numerator, figure['denominator'] AS denominator
FROM counted
