/*
title = "The counts on the forms IV.B, each with the totals that it is checked against"
grain = ["report_year", "form", "population", "column_name"]
authority = "specification: federal-report, Data checks; Federal CAR guide (January 2025), page 26, vii: -1 counts as 0 in totals"
[columns]
entered = "The count as entered"
counted = "The same in sums: 0 for -1 and -9"
total = "The grand total of the column, as entered"
whole = "The number of students of the line, as entered; null on form 3"
form_total = "Everybody on the form: its number of students, or the indicator's denominator, as entered"
*/
SELECT
    report_year, form, form_kind, education_level, status, indicator, line_order, line, section, population, group_kind, group_code, part_of,
    collection, column_name, kind, career_cluster, place, students AS entered,
    greatest(students, 0) AS counted,
    max(CASE WHEN group_kind = 'all' THEN students END) OVER (PARTITION BY report_year, form, column_name) AS total,
    max(CASE WHEN kind = 'number' THEN students END) OVER (PARTITION BY report_year, form, line_order) AS whole,
    max(CASE WHEN group_kind = 'all' AND kind IN ('number', 'denominator') THEN students END) OVER (PARTITION BY report_year, form) AS form_total
FROM car_cell
WHERE kind IN ('number', 'career_cluster', 'numerator', 'denominator')
