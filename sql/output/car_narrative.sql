/*
title = "CAR narrative II.B.8: disparities or gaps in performance"
description = """
One paragraph for each indicator, of the state's figures, to be edited: all concentrators against the state determined level, every group that is below
all concentrators, the widest gap first, with its progress from the year before, and the groups that are not with their level the year before. The
figures behind it are those of gap. Levels are rounded to two decimals, differences are those of the levels shown. Figures are unsuppressed: look at
small groups before it is handed in."""
grain = ["report_year", "section", "indicator"]
authority = "Federal CAR guide (January 2025), page 16, II.B.8; Perkins V section 113(b)(3)(C)(ii)(II); specification: federal-report, Narrative figures"
restricted = true
earlier_years = "year_before"
[columns]
report_year = "Report year: 2024 is program year 2023-24, 1 July 2023 to 30 June 2024"
section = "Section of the report: II.B.8"
indicator = "Id of the indicator, such as 1S1"
title = "Name of the indicator"
groups_below = "Groups below all concentrators"
paragraph = "The text"
*/
WITH compared AS (
    SELECT
        g.report_year, g.indicator, g.group_kind, g.group_code, g.progress, n.rate, n.hundredths, a.hundredths AS all_hundredths,
        CAST(n.target * 100 AS BIGINT) AS target,
        n.numerator * a.denominator < a.numerator * n.denominator AS is_below,
        n.numerator * 10000 < CAST(n.target * 100 AS BIGINT) * n.denominator AS is_below_target,
        p.hundredths AS prior_hundredths, b.hundredths AS prior_all_hundredths,
        concat(coalesce(t.title, g.group_code), ' it was ', CAST(n.hundredths AS DECIMAL(9, 0)) * CAST(0.01 AS DECIMAL(3, 2)),
            ' percent (', n.numerator, ' of ', n.denominator, ')') AS words,
        concat(coalesce(t.title, g.group_code), ' (', CAST(n.hundredths AS DECIMAL(9, 0)) * CAST(0.01 AS DECIMAL(3, 2)),
            ' percent, ', n.numerator, ' of ', n.denominator) AS short_words,
        concat(' The year before it was ', CAST(p.hundredths AS DECIMAL(9, 0)) * CAST(0.01 AS DECIMAL(3, 2)),
            ' percent (', p.numerator, ' of ', p.denominator, '), ') AS prior_words,
        CASE WHEN p.hundredths IS NULL THEN '' ELSE concat('; the year before ', CAST(p.hundredths AS DECIMAL(9, 0)) * CAST(0.01 AS DECIMAL(3, 2)),
            ' percent, ', p.numerator, ' of ', p.denominator) END AS prior_short_words,
        concat(CAST(abs(n.hundredths - a.hundredths) AS DECIMAL(9, 0)) * CAST(0.01 AS DECIMAL(3, 2))) AS gap_words,
        concat(CAST(abs(p.hundredths - b.hundredths) AS DECIMAL(9, 0)) * CAST(0.01 AS DECIMAL(3, 2))) AS prior_gap_words,
        concat(CAST(abs(n.hundredths - CAST(n.target * 100 AS BIGINT)) AS DECIMAL(9, 0)) * CAST(0.01 AS DECIMAL(3, 2))) AS target_words,
        p.numerator * b.denominator - b.numerator * p.denominator AS prior_gap
    FROM gap_figure AS g
    JOIN car_performance AS n
        ON n.report_year = g.report_year AND n.indicator = g.indicator AND n.group_kind = g.group_kind AND n.group_code = g.group_code
    JOIN car_performance AS a ON a.report_year = g.report_year AND a.indicator = g.indicator AND a.group_kind = 'all'
    LEFT JOIN car_performance AS p
        ON p.report_year + 1 = g.report_year AND p.indicator = g.indicator AND p.group_kind = g.group_kind AND p.group_code = g.group_code
    LEFT JOIN car_performance AS b ON b.report_year + 1 = g.report_year AND b.indicator = g.indicator AND b.group_kind = 'all'
    LEFT JOIN reference.group_title AS t ON t.group_kind = g.group_kind AND t.group_code = g.group_code
    WHERE g.level = 'state'
),
sentence AS (
    SELECT report_year, indicator, is_below, rate, group_kind, group_code,
        CASE
            WHEN is_below THEN concat(
                'In the group ', words, ', ', gap_words, ' percentage points below all CTE concentrators',
                CASE
                    WHEN is_below_target THEN concat(' and ', target_words, ' below the State determined level')
                    WHEN target IS NOT NULL THEN ' and not below the State determined level'
                    ELSE ''
                END,
                '.',
                CASE WHEN prior_hundredths IS NULL THEN ' There is no figure of the year before.' ELSE concat(
                    prior_words,
                    CASE
                        WHEN prior_gap < 0 THEN concat(prior_gap_words, ' points below all')
                        WHEN prior_gap > 0 THEN concat(prior_gap_words, ' points above all')
                        ELSE 'as all'
                    END,
                    CASE
                        WHEN prior_gap > 0 THEN ': it fell from above all to below.'
                        WHEN progress = 'closing' THEN ': the gap narrowed.'
                        WHEN progress = 'widening' THEN ': the gap widened.'
                        ELSE ': the gap stayed the same.'
                    END)
                END)
            ELSE concat(
                short_words, prior_short_words,
                CASE WHEN is_below_target THEN concat('; ', target_words, ' points below the State determined level)') ELSE ')' END)
        END AS words
    FROM compared
),
below AS (
    SELECT report_year, indicator, count(*) AS groups, string_agg(words, ' ' ORDER BY rate, group_kind, group_code) AS words
    FROM sentence
    WHERE is_below
    GROUP BY report_year, indicator
),
above AS (
    SELECT report_year, indicator, string_agg(words, ', ' ORDER BY rate, group_kind, group_code) AS words
    FROM sentence
    WHERE NOT is_below
    GROUP BY report_year, indicator
)
SELECT
    a.report_year, s.item AS section, a.indicator, i.title, coalesce(b.groups, 0) AS groups_below,
    concat(
        a.indicator, ' (', i.title, '): in program year ', a.report_year - 1, '-', substr(CAST(a.report_year AS VARCHAR), 3, 2), ', ',
        CAST(a.hundredths AS DECIMAL(9, 0)) * CAST(0.01 AS DECIMAL(3, 2)), ' percent of all CTE concentrators (', a.numerator, ' of ', a.denominator,
        ') met the indicator',
        CASE
            WHEN a.target IS NULL THEN '; no State determined level of performance is set.'
            WHEN a.status = 'met' THEN concat('; the State determined level of performance, ', a.target, ' percent, was reached.')
            WHEN a.status = 'within_90' THEN concat(
                '; the State determined level of performance, ', a.target, ' percent, was missed by ',
                CAST(abs(CAST(a.target * 100 AS BIGINT) - a.hundredths) AS DECIMAL(9, 0)) * CAST(0.01 AS DECIMAL(3, 2)),
                ' percentage points, but ', r.target_share, ' percent of it was reached.')
            ELSE concat(
                '; the State determined level of performance, ', a.target, ' percent, was missed by ',
                CAST(abs(CAST(a.target * 100 AS BIGINT) - a.hundredths) AS DECIMAL(9, 0)) * CAST(0.01 AS DECIMAL(3, 2)),
                ' percentage points, and less than ', r.target_share, ' percent of it was reached.')
        END,
        CASE WHEN p.hundredths IS NULL THEN '' ELSE concat(' The year before it was ', CAST(p.hundredths AS DECIMAL(9, 0)) * CAST(0.01 AS DECIMAL(3, 2)),
            ' percent (', p.numerator, ' of ', p.denominator, ').') END,
        ' ', coalesce(b.words, 'No group is below all CTE concentrators.'),
        CASE WHEN v.words IS NULL THEN '' ELSE concat(' Not below all CTE concentrators: ', v.words, '.') END
    ) AS paragraph
FROM rule AS r
JOIN requested AS q ON q.report_year = r.report_year
JOIN car_performance AS a ON a.report_year = q.report_year AND a.group_kind = 'all'
JOIN car_item AS s ON s.report_year = a.report_year AND s.item = 'II.B.8' AND s.requirement <> 'not_applicable'
JOIN indicator AS i ON i.report_year = a.report_year AND i.indicator = a.indicator
LEFT JOIN car_performance AS p ON p.report_year + 1 = a.report_year AND p.indicator = a.indicator AND p.group_kind = 'all'
LEFT JOIN below AS b ON b.report_year = a.report_year AND b.indicator = a.indicator
LEFT JOIN above AS v ON v.report_year = a.report_year AND v.indicator = a.indicator
ORDER BY a.report_year, s.item, a.indicator
