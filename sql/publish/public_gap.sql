/*
title = "Gaps, as the public may see them"
description = "The gap of a group where the figures that it is made of are all public: its own, that of all students, and, for what compares with the year before, those of that year."
grain = ["report_year", "indicator", "level", "entity_id", "group_kind", "group_code"]
authority = "specification: disclosure, Public output; outputs, gap"
[columns]
report_year = "Report year: 2024 is 1 July 2023 to 30 June 2024"
indicator = "Id of the indicator, such as 1S1"
level = "state, grantee, district, institution or program"
entity_id = "Id of the entity; for the state, the jurisdiction's code"
group_kind = "gender, race_ethnicity, special_population or career_cluster"
group_code = "Code of the group"
rate = "The group's rate, unrounded"
all_rate = "The rate of all students of the entity"
gap_to_all = "rate less all_rate, percentage points"
gap_to_target = "rate less target, percentage points"
prior_rate = "The group's rate one report year before"
change = "rate less prior_rate, percentage points"
progress = "closing, widening or unchanged; new where the group had no figure the year before"
suppression = "none, or hidden: a figure that the gap is made of is not shown"
*/
WITH shown AS (
    SELECT report_year, indicator, level, entity_id, group_kind, group_code, numerator, denominator, CAST(target AS DOUBLE) AS target,
        CAST(100 * numerator AS DOUBLE) / CAST(denominator AS DOUBLE) AS rate
    FROM public_figure
),
-- Everything is computed from figures as the public has them: those of the year before may be of an earlier release.
gap_of AS (
    SELECT f.*, a.rate AS all_rate,
        CAST(f.denominator AS DECIMAL(18, 0)) * CAST(a.denominator AS DECIMAL(18, 0)) AS scale,
        abs(CAST(f.numerator * a.denominator - a.numerator * f.denominator AS DECIMAL(18, 0))) AS distance
    FROM shown AS f
    JOIN shown AS a
        ON a.report_year = f.report_year AND a.indicator = f.indicator AND a.level = f.level AND a.entity_id = f.entity_id
            AND a.group_kind = 'all' AND a.rate IS NOT NULL
    WHERE f.rate IS NOT NULL
)
SELECT
    g.report_year, g.indicator, g.level, g.entity_id, g.group_kind, g.group_code,
    c.rate, c.all_rate,
    c.rate - c.all_rate AS gap_to_all,
    c.rate - c.target AS gap_to_target,
    CASE WHEN c.rate IS NOT NULL THEN p.rate END AS prior_rate,
    c.rate - p.rate AS change,
    CASE
        WHEN c.rate IS NULL THEN NULL
        -- Without a figure of the year before there is nothing to hide of it.
        WHEN p.rate IS NULL THEN CASE WHEN g.prior_rate IS NULL AND b.report_year IS NULL THEN 'new' END
        WHEN c.distance * p.scale < p.distance * c.scale THEN 'closing'
        WHEN c.distance * p.scale > p.distance * c.scale THEN 'widening'
        ELSE 'unchanged'
    END AS progress,
    CASE WHEN c.rate IS NULL THEN 'hidden' ELSE 'none' END AS suppression
FROM gap AS g
LEFT JOIN gap_of AS c
    ON c.report_year = g.report_year AND c.indicator = g.indicator AND c.level = g.level AND c.entity_id = g.entity_id
        AND c.group_kind = g.group_kind AND c.group_code = g.group_code
LEFT JOIN gap_of AS p
    ON p.report_year = g.report_year - 1 AND p.indicator = g.indicator AND p.level = g.level AND p.entity_id = g.entity_id
        AND p.group_kind = g.group_kind AND p.group_code = g.group_code
LEFT JOIN shown AS b
    ON b.report_year = g.report_year - 1 AND b.indicator = g.indicator AND b.level = g.level AND b.entity_id = g.entity_id
        AND b.group_kind = g.group_kind AND b.group_code = g.group_code
ORDER BY g.report_year, g.indicator, g.level, g.entity_id, g.group_kind, g.group_code
