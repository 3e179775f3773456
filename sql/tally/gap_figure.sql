/*
title = "How far each group is from all students and from the target, now and the year before"
grain = ["report_year", "indicator", "level", "entity_id", "group_kind", "group_code"]
authority = "specification: outputs, gap; Perkins V section 113(b)(3)(C)(ii)(II)"
[columns]
progress = "closing, widening or unchanged: the absolute gap to all shrank, grew or stayed, compared exactly; new without a prior rate"
place = "Order by report year, indicator, entity and group, as one number"
*/
WITH compared AS (
    SELECT
        g.report_year, g.indicator, g.entity_key, g.level, g.entity_id, g.group_kind, g.group_code, g.place, g.rate, g.target, a.rate AS all_rate,
        CAST(g.denominator AS DECIMAL(18, 0)) * CAST(a.denominator AS DECIMAL(18, 0)) AS scale,
        abs(CAST(g.numerator * a.denominator - a.numerator * g.denominator AS DECIMAL(18, 0))) AS distance
    FROM figure AS g
    JOIN figure AS a
        ON a.report_year = g.report_year AND a.indicator = g.indicator AND a.entity_key = g.entity_key AND a.group_kind = 'all'
    WHERE g.level <> 'program' AND g.group_kind NOT IN ('all', 'placement')
)
SELECT
    c.report_year, c.indicator, c.level, c.entity_id, c.group_kind, c.group_code, c.rate, c.all_rate,
    c.rate - c.all_rate AS gap_to_all,
    c.rate - CAST(c.target AS DOUBLE) AS gap_to_target,
    p.rate AS prior_rate,
    c.rate - p.rate AS change,
    CASE
        WHEN p.rate IS NULL THEN 'new'
        WHEN c.distance * p.scale < p.distance * c.scale THEN 'closing'
        WHEN c.distance * p.scale > p.distance * c.scale THEN 'widening'
        ELSE 'unchanged'
    END AS progress,
    c.place
FROM compared AS c
JOIN requested AS q ON q.report_year = c.report_year
LEFT JOIN compared AS p
    ON p.report_year + 1 = c.report_year AND p.indicator = c.indicator AND p.level = c.level AND p.entity_id = c.entity_id
    AND p.group_kind = c.group_kind AND p.group_code = c.group_code
