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
    SELECT report_year, indicator, level, entity_id, group_kind, group_code, rate IS NOT NULL AS is_shown
    FROM public_figure
),
made_of AS (
    SELECT
        g.*,
        coalesce(f.is_shown AND a.is_shown, FALSE) AS is_shown,
        -- Without a figure of the year before there is nothing to hide of it.
        CASE WHEN g.prior_rate IS NULL THEN g.progress = 'new' ELSE coalesce(p.is_shown AND b.is_shown, FALSE) END AS prior_is_shown
    FROM gap AS g
    LEFT JOIN shown AS f
        ON f.report_year = g.report_year AND f.indicator = g.indicator AND f.level = g.level AND f.entity_id = g.entity_id
            AND f.group_kind = g.group_kind AND f.group_code = g.group_code
    LEFT JOIN shown AS a
        ON a.report_year = g.report_year AND a.indicator = g.indicator AND a.level = g.level AND a.entity_id = g.entity_id
            AND a.group_kind = 'all'
    LEFT JOIN shown AS p
        ON p.report_year = g.report_year - 1 AND p.indicator = g.indicator AND p.level = g.level AND p.entity_id = g.entity_id
            AND p.group_kind = g.group_kind AND p.group_code = g.group_code
    LEFT JOIN shown AS b
        ON b.report_year = g.report_year - 1 AND b.indicator = g.indicator AND b.level = g.level AND b.entity_id = g.entity_id
            AND b.group_kind = 'all'
)
SELECT
    report_year, indicator, level, entity_id, group_kind, group_code,
    CASE WHEN is_shown THEN rate END AS rate,
    CASE WHEN is_shown THEN all_rate END AS all_rate,
    CASE WHEN is_shown THEN gap_to_all END AS gap_to_all,
    CASE WHEN is_shown THEN gap_to_target END AS gap_to_target,
    CASE WHEN is_shown AND prior_is_shown THEN prior_rate END AS prior_rate,
    CASE WHEN is_shown AND prior_is_shown THEN change END AS change,
    CASE WHEN is_shown AND prior_is_shown THEN progress END AS progress,
    CASE WHEN is_shown THEN 'none' ELSE 'hidden' END AS suppression
FROM made_of
ORDER BY report_year, indicator, level, entity_id, group_kind, group_code
