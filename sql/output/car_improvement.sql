/*
title = "CAR narrative II.B.9: State program improvement plans"
description = """
One paragraph for each indicator of which the state missed 90 percent of the state determined level, to be edited and completed: by how much, for how
long, and the groups furthest below all concentrators. The figures behind it are those of improvement_plan. Figures are unsuppressed: look at small
groups before it is handed in."""
grain = ["report_year", "section", "indicator"]
authority = "Federal CAR guide (January 2025), page 16, II.B.9; Perkins V section 123(a)(1); specification: federal-report, Narrative figures"
restricted = true
earlier_years = "years_with_targets"
[columns]
report_year = "Report year: 2024 is program year 2023-24, 1 July 2023 to 30 June 2024"
section = "Section of the report: II.B.9"
indicator = "Id of the indicator, such as 1S1"
title = "Name of the indicator"
years_below_in_a_row = "Report years in a row below 90 percent, this one included"
paragraph = "The text; what a person must add stands at its end"
*/
WITH owed AS (
    SELECT *,
        (numerator * 20000 + denominator) / (2 * denominator) AS hundredths,
        (first_numerator * 20000 + first_denominator) / (2 * first_denominator) AS first_hundredths
    FROM improvement_figure
    WHERE level = 'state'
),
label AS (
    SELECT report_year, indicator, unnest(string_to_array(widest_gaps, ';')) AS label
    FROM owed
    WHERE widest_gaps IS NOT NULL
),
lower_group AS (
    SELECT l.report_year, l.indicator,
        string_agg(concat(coalesce(t.title, p.group_code), ' (', CAST(p.hundredths AS DECIMAL(9, 0)) * CAST(0.01 AS DECIMAL(3, 2)), ' percent, ',
            p.numerator, ' of ', p.denominator, ')'), ', ' ORDER BY p.rate, p.group_kind, p.group_code) AS words
    FROM label AS l
    JOIN car_performance AS p
        ON p.report_year = l.report_year AND p.indicator = l.indicator
        AND p.group_kind = split_part(l.label, ':', 1) AND p.group_code = split_part(l.label, ':', 2)
    LEFT JOIN reference.group_title AS t ON t.group_kind = p.group_kind AND t.group_code = p.group_code
    GROUP BY l.report_year, l.indicator
)
SELECT
    o.report_year, s.item AS section, o.indicator, i.title, o.years_below_in_a_row,
    concat(
        o.indicator, ' (', i.title, '): in program year ', o.report_year - 1, '-', substr(CAST(o.report_year AS VARCHAR), 3, 2), ', ',
        CAST(o.hundredths AS DECIMAL(9, 0)) * CAST(0.01 AS DECIMAL(3, 2)), ' percent of all CTE concentrators (', o.numerator, ' of ', o.denominator,
        ') met the indicator, less than ', r.target_share, ' percent of the State determined level of performance of ', o.target, ' percent. It has been below for ',
        o.years_below_in_a_row, CASE o.years_below_in_a_row WHEN 1 THEN ' report year' ELSE ' report years' END, ' in a row, since report year ', o.first_year_below, '.',
        CASE o.progress_after_three_years
            WHEN 'too_early' THEN ''
            ELSE concat(' It is ', CASE o.progress_after_three_years WHEN 'yes' THEN '' ELSE 'not ' END, 'above that first year, when it was ',
                CAST(o.first_hundredths AS DECIMAL(9, 0)) * CAST(0.01 AS DECIMAL(3, 2)), ' percent (', o.first_numerator, ' of ', o.first_denominator, ').')
        END,
        CASE WHEN g.words IS NULL THEN ' No group is below all CTE concentrators.' ELSE concat(' Furthest below all CTE concentrators: ', g.words, '.') END,
        ' To be completed: the action steps that begin in the current program year, and for each the staff responsible, the timeline and the targeted completion date.'
    ) AS paragraph
FROM rule AS r
JOIN requested AS q ON q.report_year = r.report_year
JOIN owed AS o ON o.report_year = q.report_year
JOIN car_item AS s ON s.report_year = o.report_year AND s.item = 'II.B.9' AND s.requirement <> 'not_applicable'
JOIN indicator AS i ON i.report_year = o.report_year AND i.indicator = o.indicator
LEFT JOIN lower_group AS g ON g.report_year = o.report_year AND g.indicator = o.indicator
ORDER BY o.report_year, s.item, o.indicator
