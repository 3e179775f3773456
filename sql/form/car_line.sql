/*
title = "The lines that each form of the federal report has in a year"
description = """
From the tables reference.car_* of the instrument that the rule names, without the forms and sections that its timeline does not ask for. An indicator
that the instrument does not list takes the form without an indicator of its level. Lines of career clusters are those of the year's framework."""
grain = ["report_year", "form", "line_order"]
authority = "Federal CAR guide (January 2025), Table 1 and IV.B; specification: federal-report"
[columns]
form = "1a, 1b, 1c, 2a, 2b; 3: and the indicator"
form_kind = "The form as the instrument's columns are listed: 3 for every indicator"
form_order = "Order of the forms"
line_order = "Order of the lines, since the instrument prints some numbers twice and some lines without"
line = "Line number as printed; null where none is"
section = "Heading as printed above the line"
population = "The line as printed"
group_kind = "Kind of the group that the line stands for"
group_code = "Code of the group"
part_of = "Code of the kind of placement that this one is part of"
collection = "The collection that was not handed over, of those that the line rests on; null if all were"
requirement = "required or optional, by the timeline"
*/
WITH form AS (
    SELECT y.report_year, f.instrument, f.form, f.form AS form_kind, CAST(f.form_order AS BIGINT) AS form_order, f.education_level, f.status,
        CAST(NULL AS VARCHAR) AS indicator, f.layout, f.collection, r.career_cluster_framework AS framework
    FROM report_year AS y
    JOIN rule AS r ON r.report_year = y.report_year
    JOIN reference.car_form AS f ON f.instrument = r.car_instrument
    WHERE f.form <> '3' AND y.has_groups
    UNION ALL
    SELECT y.report_year, f.instrument, concat(f.form, ':', i.indicator) AS form, f.form AS form_kind, CAST(f.form_order AS BIGINT) AS form_order,
        f.education_level, f.status, i.indicator, f.layout, f.collection, r.career_cluster_framework AS framework
    FROM report_year AS y
    JOIN rule AS r ON r.report_year = y.report_year
    JOIN indicator AS i ON i.report_year = y.report_year
    JOIN reference.car_form AS f
        ON f.instrument = r.car_instrument AND f.education_level = i.education_level AND (f.indicator = i.indicator OR f.indicator IS NULL)
    WHERE f.form = '3' AND y.has_groups
    QUALIFY row_number() OVER (PARTITION BY y.report_year, i.indicator ORDER BY f.indicator NULLS LAST) = 1
)
SELECT
    f.report_year, f.form, f.form_kind, f.form_order * 64 + CASE WHEN f.indicator IS NULL THEN 0 ELSE
        row_number() OVER (PARTITION BY f.report_year, f.form_order, l.line_order ORDER BY f.indicator) END AS form_order,
    f.education_level, f.status, f.indicator,
    CAST(l.line_order AS BIGINT) AS line_order, l.line, l.section, l.population, l.group_kind, l.group_code, l.part_of,
    CASE WHEN NOT fc.is_there THEN fc.collection WHEN NOT lc.is_there THEN lc.collection END AS collection,
    coalesce(s.requirement, a.requirement) AS requirement
FROM form AS f
JOIN reference.car_line AS l ON l.instrument = f.instrument AND l.layout = f.layout AND coalesce(l.framework, f.framework) = f.framework
JOIN car_item AS a ON a.report_year = f.report_year AND a.form = f.form_kind AND a.section IS NULL
LEFT JOIN car_item AS s ON s.report_year = f.report_year AND s.form = f.form_kind AND s.section = l.section
LEFT JOIN car_collection AS fc ON fc.collection = f.collection
LEFT JOIN car_collection AS lc ON lc.collection = l.collection
WHERE a.requirement <> 'not_applicable' AND coalesce(s.requirement, '') <> 'not_applicable'
