/*
title = "Counts on the forms IV.B that changed by more than 25 percent from the year before, and the notes on them"
description = """
Of every line the number of students, the numerator and the denominator; of the grand total the career clusters too. A form of which the year before
had nobody is not compared, nor is a cell that was -1 or -9 in either year."""
grain = ["report_year", "form", "population", "column_name"]
authority = "specification: federal-report, Data checks: change of more than 25 percent from the year before without a note"
[columns]
entered = "The count as entered"
prior = "The count of the year before"
has_note = "A note of the collection car_note is about the cell, its population, its column or its form"
*/
WITH noted AS (
    SELECT DISTINCT c.report_year, c.form, c.population, c.column_name
    FROM car_count AS c
    JOIN car_note AS n ON n.report_year = c.report_year AND n.form = lower(c.form)
    WHERE (n.population IS NULL OR n.population = lower(c.population)) AND (n.column_name IS NULL OR n.column_name = lower(c.column_name))
)
SELECT c.report_year, c.form, c.line, c.population, c.column_name, c.place, c.entered, p.entered AS prior, n.form IS NOT NULL AS has_note
FROM car_count AS c
JOIN car_count AS p
    ON p.report_year + 1 = c.report_year AND p.form = c.form AND p.group_kind = c.group_kind AND p.group_code = c.group_code
    AND p.kind = c.kind AND p.career_cluster IS NOT DISTINCT FROM c.career_cluster
LEFT JOIN noted AS n ON n.report_year = c.report_year AND n.form = c.form AND n.population = c.population AND n.column_name = c.column_name
WHERE (c.kind <> 'career_cluster' OR c.group_kind = 'all')
    AND p.form_total > 0 AND c.entered >= 0 AND p.entered >= 0
    AND abs(c.entered - p.entered) * 4 > p.entered
