/*
title = "Every figure with its target and status, also of the earlier years that a rule needs"
grain = ["report_year", "indicator", "level", "entity_id", "group_kind", "group_code"]
authority = "specification: indicators, Targets, Compare rates with targets exactly"
[columns]
entity_key = "Number of the entity"
rate = "100 times numerator by denominator, unrounded"
status = "met, within_90 or below_90; compared in whole numbers"
*/
WITH level AS (
    SELECT e.report_year, e.entity_key, e.level, e.entity_id, e.entity_name, i.indicator, coalesce(own.target_percent, state.target_percent) AS target
    FROM entity AS e
    JOIN indicator AS i ON i.report_year = e.report_year
    LEFT JOIN target AS own ON own.report_year = e.report_year AND own.indicator = i.indicator AND own.grantee_id = e.target_grantee_id
    LEFT JOIN target AS state ON state.report_year = e.report_year AND state.indicator = i.indicator AND state.grantee_id IS NULL
),
named AS (
    SELECT
        c.report_year, m.indicator, l.entity_key, l.level, l.entity_id, l.entity_name,
        CASE WHEN c.career_cluster IS NOT NULL THEN 'career_cluster' ELSE coalesce(m.group_kind, g.group_kind) END AS group_kind,
        coalesce(c.career_cluster, m.group_code, g.group_code) AS group_code,
        c.numerator, c.denominator,
        CASE WHEN m.group_kind IS NULL THEN l.target END AS target
    FROM performance_count AS c
    JOIN measure AS m ON m.measure = c.measure
    JOIN student_group AS g ON g.group_bit = c.group_bit
    JOIN level AS l ON l.report_year = c.report_year AND l.entity_key = c.entity_key AND l.indicator = m.indicator
)
SELECT
    n.report_year, n.indicator, n.entity_key, n.level, n.entity_id, n.entity_name, n.group_kind, n.group_code, n.numerator, n.denominator,
    CAST(100 * n.numerator AS DOUBLE) / CAST(n.denominator AS DOUBLE) AS rate,
    n.target,
    CASE
        WHEN n.target IS NULL THEN NULL
        WHEN n.numerator * 10000 >= CAST(n.target * 100 AS BIGINT) * n.denominator THEN 'met'
        WHEN n.numerator * 10000 * 100 >= r.target_share * CAST(n.target * 100 AS BIGINT) * n.denominator THEN 'within_90'
        ELSE 'below_90'
    END AS status
FROM named AS n
JOIN rule AS r ON r.report_year = n.report_year
