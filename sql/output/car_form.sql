/*
title = "CAR forms: performance data of the Consolidated Annual Report"
description = """
Every cell of the forms IV.B, as it is entered or generated in the portal: participants (1a, 1b, 1c), concentrators (2a, 2b) and the performance of
concentrators (3: and the indicator), in the order of the instrument. A cell without a value is blank."""
grain = ["report_year", "form", "population", "column"]
authority = "Federal CAR guide (January 2025), IV.A and IV.B; specification: federal-report, Performance data forms"
restricted = true
[columns]
report_year = "Report year: 2024 is program year 2023-24, 1 July 2023 to 30 June 2024"
form = "1a middle grades, 1b secondary, 1c postsecondary participants; 2a secondary, 2b postsecondary concentrators; 3:1S1 and so on"
line = "Line number as printed; the instrument prints some numbers twice, and Unknown of the forms 1c, 2b, 3:2P1 and 3:3P1 without; null too for clusters that it does not print"
population = "The line as printed"
column = "number, a career cluster, numerator, denominator, state_level, actual_level, difference (actual less state determined level) or met_90"
value = "What the cell shows: a count (-9 no program offered, -1 not provided), a level with two decimals, Y or N"
value_number = "The same as a number; null for Y and N"
*/
SELECT
    c.report_year, c.form, c.line, c.population, c.column_name AS "column",
    coalesce(CAST(c.students AS VARCHAR), CAST(c.level AS VARCHAR), c.flag) AS value,
    coalesce(CAST(c.students AS DECIMAL(12, 2)), CAST(c.level AS DECIMAL(12, 2))) AS value_number,
    c.place
FROM requested AS q
JOIN car_cell AS c ON c.report_year = q.report_year
