/*
title = "What the federal report asks for in a year: the timeline of the instrument that the rule names"
grain = ["report_year", "item", "form", "section"]
authority = "Federal CAR guide (January 2025), Table 1, pages 5 and 6; specification: federal-report, the timeline of Table 1 is data"
[columns]
item = "Item of the report, such as II.B.8"
form = "Form that the row is about; null: the whole item"
section = "Section of the form's lines that the row is about; null: the whole form"
requirement = "required, optional, not_applicable, or required_when_below: when 90 percent of a level was missed"
*/
SELECT y.report_year, t.item, t.title, t.form, t.section, t.requirement, t.note
FROM report_year AS y
JOIN rule AS r ON r.report_year = y.report_year
JOIN reference.car_timeline AS t ON t.instrument = r.car_instrument
WHERE y.has_groups
    AND y.report_year >= coalesce(CAST(t.first_report_year AS INT), y.report_year)
    AND y.report_year <= coalesce(CAST(t.last_report_year AS INT), y.report_year)
