/*
title = "Indicators below 90 percent of the target, by entity, with the streak and the widest gaps"
grain = ["report_year", "indicator", "level", "entity_id"]
authority = "Perkins V sections 113(b)(3) and 123; specification: outputs, improvement_plan"
[columns]
years_below_in_a_row = "Report years in a row below 90 percent, this one included; a year without a status breaks it"
first_year_below = "First report year of the streak"
first_numerator = "Numerator of that year"
progress_after_three_years = "too_early before the third year in a row; then yes if the rate is above that of the first year below, else no"
widest_gaps = "The three groups furthest below all students, as kind:code, joined by ;"
*/
WITH below AS (
    SELECT report_year, indicator, entity_key, level, entity_id, entity_name, numerator, denominator, rate, target,
        report_year - row_number() OVER (PARTITION BY indicator, level, entity_id ORDER BY report_year) AS streak
    FROM figure
    WHERE group_kind = 'all' AND status = 'below_90' AND level IN ('state', 'grantee', 'district')
),
running AS (
    SELECT *,
        row_number() OVER w AS years_below,
        first_value(report_year) OVER w AS first_year,
        first_value(numerator) OVER w AS first_numerator,
        first_value(denominator) OVER w AS first_denominator
    FROM below
    WINDOW w AS (PARTITION BY indicator, level, entity_id, streak ORDER BY report_year)
),
lower_group AS (
    SELECT g.report_year, g.indicator, g.entity_key, concat(g.group_kind, ':', g.group_code) AS label,
        -- Equal fractions divide to equal floats, and unequal ones of so few students never do: the order is exact.
        row_number() OVER (PARTITION BY g.report_year, g.indicator, g.entity_key ORDER BY g.rate, g.group_kind, g.group_code) AS place
    FROM figure AS g
    JOIN below AS b ON b.report_year = g.report_year AND b.indicator = g.indicator AND b.entity_key = g.entity_key
    WHERE g.group_kind IN ('gender', 'race_ethnicity', 'special_population')
        AND g.numerator * b.denominator < b.numerator * g.denominator
),
widest AS (
    SELECT report_year, indicator, entity_key, string_agg(label, ';' ORDER BY place) AS widest_gaps
    FROM lower_group
    WHERE place <= 3
    GROUP BY report_year, indicator, entity_key
)
SELECT
    r.report_year, r.indicator, r.level, r.entity_id, r.entity_name, r.numerator, r.denominator, r.rate, r.target,
    CAST(r.years_below AS INT) AS years_below_in_a_row,
    r.first_year AS first_year_below, r.first_numerator, r.first_denominator,
    CASE
        WHEN r.years_below < 3 THEN 'too_early'
        WHEN r.numerator * r.first_denominator > r.first_numerator * r.denominator THEN 'yes'
        ELSE 'no'
    END AS progress_after_three_years,
    w.widest_gaps
FROM running AS r
JOIN requested AS q ON q.report_year = r.report_year
LEFT JOIN widest AS w ON w.report_year = r.report_year AND w.indicator = r.indicator AND w.entity_key = r.entity_key
