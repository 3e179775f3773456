/*
title = "Every figure with its target and status, also of the earlier years that a rule needs"
grain = ["report_year", "indicator", "level", "entity_id", "group_kind", "group_code"]
authority = "specification: indicators, Targets, Compare rates with targets exactly"
[columns]
entity_key = "Number of the entity"
place = "Order by report year, indicator, entity and group, as one number"
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
-- A line for each entity and measure: what all its groups share.
line AS (
    SELECT l.report_year, l.entity_key, l.level, l.entity_id, l.entity_name, l.indicator, m.measure, m.indicator_order, m.group_order, r.target_share,
        CASE WHEN m.group_order IS NULL THEN l.target END AS target
    FROM rule AS r
    JOIN level AS l ON l.report_year = r.report_year
    JOIN figure_measure AS m ON m.indicator = l.indicator
),
placed AS (
    SELECT
        l.report_year, l.indicator, l.entity_key, l.level, l.entity_id, l.entity_name, l.indicator_order, l.target, l.target_share,
        c.numerator, c.denominator, coalesce(c.cluster_order, l.group_order, c.student_group_order) AS group_order
    FROM line AS l
    JOIN (
        SELECT n.entity_key, n.measure, n.cluster_order, n.numerator, n.denominator, g.group_order AS student_group_order
        FROM figure_group AS g
        JOIN performance_count AS n ON n.group_bit = g.group_bit
    ) AS c ON c.entity_key = l.entity_key AND c.measure = l.measure
)
SELECT
    n.report_year, n.indicator, n.entity_key, n.level, n.entity_id, n.entity_name, g.group_kind, g.group_code, n.numerator, n.denominator,
    CAST(100 * n.numerator AS DOUBLE) / CAST(n.denominator AS DOUBLE) AS rate,
    n.target,
    CASE
        WHEN n.target IS NULL THEN NULL
        WHEN n.numerator * 10000 >= CAST(n.target * 100 AS BIGINT) * n.denominator THEN 'met'
        WHEN n.numerator * 10000 * 100 >= n.target_share * CAST(n.target * 100 AS BIGINT) * n.denominator THEN 'within_90'
        ELSE 'below_90'
    END AS status,
    ((CAST(n.report_year AS BIGINT) * 64 + n.indicator_order) * 16777216 + n.entity_key) * 1024 + n.group_order AS place
FROM figure_group AS g
JOIN placed AS n ON n.group_order = g.group_order
