/*
title = "CAR checks: what to look at before the forms are handed in"
description = """
One row for each finding in the forms IV.B: what the portal checks, and more. No row: nothing was found. An error cannot be right; a warning needs a
look; a notice needs a sentence under Additional Information."""
grain = ["report_year", "check", "form", "population", "column"]
authority = "specification: federal-report, Data checks; Federal CAR guide (January 2025), page 8"
restricted = true
earlier_years = "year_before"
[columns]
report_year = "Report year: 2024 is program year 2023-24, 1 July 2023 to 30 June 2024"
check = "Code of the check"
form = "Form, as in car_form"
line = "Line number as printed"
population = "The line as printed"
column = "Column, as in car_form"
severity = "error, warning or notice"
found = "What the form has"
expected = "What it should have"
meaning = "The check in a sentence"
*/
WITH found AS (
    SELECT report_year, check_code, form, line, population, column_name, found, expected, place
    FROM car_finding
    UNION ALL
    SELECT report_year, 'change_without_note', form, line, population, column_name, CAST(entered AS VARCHAR),
        concat(prior, ' the year before, within 25 percent'), place
    FROM car_change
    WHERE NOT has_note
)
SELECT
    f.report_year, f.check_code AS "check", f.form, f.line, f.population, f.column_name AS "column", m.severity, f.found, f.expected, m.meaning
FROM found AS f
JOIN requested AS q ON q.report_year = f.report_year
JOIN reference.car_check_meaning AS m ON m.check_code = f.check_code
ORDER BY f.report_year, f.check_code, f.place
