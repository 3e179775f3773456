/*
title = "Notes that explain figures of the federal report"
grain = ["report_year", "form", "population", "column_name"]
authority = "specification: federal-report, Data checks: a change without a note"
*/
SELECT report_year, lower(form) AS form, lower(population) AS population, lower(column_name) AS column_name, note
FROM lake.car_note
