/*
title = "What does not add up within the forms IV.B of one year"
grain = ["report_year", "check_code", "form", "population", "column_name"]
authority = "specification: federal-report, Data checks; Federal CAR guide (January 2025), page 8: system-generated data checks, pages 25 and 26"
[columns]
check_code = "The check: see reference.car_check_meaning"
found = "What the form has"
expected = "What it should have"
*/
WITH summed AS (
    SELECT
        report_year, form, column_name, group_kind, max(total) AS total, sum(counted) AS counted
    FROM car_count
    WHERE group_kind IN ('gender', 'race_ethnicity', 'career_cluster') OR (group_kind = 'placement' AND part_of IS NULL)
    GROUP BY report_year, form, column_name, group_kind
),
-- What is wrong with the sum of some lines is said at the grand total of the column.
whole AS (
    SELECT t.report_year, t.form, t.line, t.population, t.column_name, t.kind, t.place, s.group_kind, s.total, s.counted, coalesce(u.students, 0) AS unprinted
    FROM summed AS s
    JOIN car_count AS t ON t.report_year = s.report_year AND t.form = s.form AND t.column_name = s.column_name AND t.group_kind = 'all'
    LEFT JOIN car_unprinted AS u
        ON u.report_year = s.report_year AND u.form = s.form AND u.column_name = s.column_name AND u.group_kind = s.group_kind
    WHERE s.total >= 0
),
spread AS (
    SELECT report_year, form, line_order, sum(counted) AS counted
    FROM car_count
    WHERE kind = 'career_cluster'
    GROUP BY report_year, form, line_order
)
SELECT 'numerator_above_denominator' AS check_code, n.report_year, n.form, n.line, n.population, n.column_name, n.place,
    CAST(n.entered AS VARCHAR) AS found, concat('at most ', d.entered) AS expected
FROM car_count AS n
JOIN car_count AS d ON d.report_year = n.report_year AND d.form = n.form AND d.line_order = n.line_order AND d.kind = 'denominator'
WHERE n.kind = 'numerator' AND n.entered > d.entered
UNION ALL
SELECT 'gender_above_total', report_year, form, line, population, column_name, place, CAST(counted AS VARCHAR), concat('at most ', total)
FROM whole
WHERE group_kind = 'gender' AND counted > total
UNION ALL
SELECT 'gender_unaccounted', report_year, form, line, population, column_name, place, CAST(total - counted AS VARCHAR), CAST(unprinted AS VARCHAR)
FROM whole
WHERE group_kind = 'gender' AND counted <= total AND total - counted <> unprinted
UNION ALL
SELECT 'gender_without_line', report_year, form, line, population, column_name, place, CAST(unprinted AS VARCHAR), '0, or a note'
FROM whole
WHERE group_kind = 'gender' AND unprinted > 0 AND kind IN ('number', 'denominator')
UNION ALL
SELECT 'race_sum', report_year, form, line, population, column_name, place, CAST(counted AS VARCHAR), CAST(total AS VARCHAR)
FROM whole
WHERE group_kind = 'race_ethnicity' AND counted <> total
UNION ALL
SELECT 'group_above_total', report_year, form, line, population, column_name, place, CAST(entered AS VARCHAR), concat('at most ', total)
FROM car_count
WHERE total >= 0 AND entered > total AND group_kind <> 'placement'
UNION ALL
SELECT 'concentrators_above_participants', c.report_year, c.form, c.line, c.population, c.column_name, c.place,
    CAST(c.entered AS VARCHAR), concat('at most ', p.entered)
FROM car_count AS c
JOIN car_count AS p
    ON p.report_year = c.report_year AND p.education_level = c.education_level AND p.population = c.population
    AND p.kind = c.kind AND p.career_cluster IS NOT DISTINCT FROM c.career_cluster
WHERE c.indicator IS NULL AND p.indicator IS NULL AND c.status = 'concentrator' AND p.status = 'participant'
    AND p.entered >= 0 AND c.entered > p.entered
UNION ALL
SELECT 'cluster_above_total', report_year, form, line, population, column_name, place, CAST(entered AS VARCHAR), concat('at most ', whole)
FROM car_count
WHERE kind = 'career_cluster' AND whole >= 0 AND entered > whole
UNION ALL
SELECT 'cluster_sum', t.report_year, t.form, t.line, t.population, t.column_name, t.place, CAST(s.counted AS VARCHAR), concat('at least ', t.entered)
FROM spread AS s
JOIN car_count AS t ON t.report_year = s.report_year AND t.form = s.form AND t.line_order = s.line_order AND t.kind = 'number'
WHERE t.entered > s.counted
UNION ALL
SELECT 'cluster_sum', report_year, form, line, population, column_name, place, CAST(counted AS VARCHAR), concat('at least ', total)
FROM whole
WHERE group_kind = 'career_cluster' AND counted < total
UNION ALL
SELECT 'placement_above_numerator', report_year, form, line, population, column_name, place, CAST(entered AS VARCHAR), concat('at most ', total)
FROM car_count
WHERE group_kind = 'placement' AND kind = 'numerator' AND entered > total
UNION ALL
SELECT 'placement_part_above_whole', p.report_year, p.form, p.line, p.population, p.column_name, p.place,
    CAST(p.entered AS VARCHAR), concat('at most ', w.entered)
FROM car_count AS p
JOIN car_count AS w
    ON w.report_year = p.report_year AND w.form = p.form AND w.column_name = p.column_name AND w.group_kind = 'placement' AND w.group_code = p.part_of
WHERE p.kind = 'numerator' AND p.entered > w.entered
UNION ALL
SELECT 'placement_sum', report_year, form, line, population, column_name, place, CAST(counted AS VARCHAR), concat('at least ', total)
FROM whole
WHERE group_kind = 'placement' AND kind = 'numerator' AND counted < total
UNION ALL
SELECT 'placement_denominator', report_year, form, line, population, column_name, place, CAST(entered AS VARCHAR), CAST(total AS VARCHAR)
FROM car_count
WHERE group_kind = 'placement' AND kind = 'denominator' AND entered <> total
UNION ALL
-- Of a whole form at its grand total; of a line for itself.
SELECT 'not_handed_over', c.report_year, c.form, c.line, c.population, c.column_name, c.place, 'not handed over', c.collection
FROM car_count AS c
JOIN car_count AS t ON t.report_year = c.report_year AND t.form = c.form AND t.column_name = c.column_name AND t.group_kind = 'all'
WHERE c.kind IN ('number', 'numerator') AND c.collection IS NOT NULL AND (c.group_kind = 'all' OR t.collection IS NULL)
