/*
title = "The entities of a program by number"
description = "Programs themselves only for the years asked for: nothing asks for a program's figures of an earlier year."
grain = ["report_year", "program_key", "entity_key"]
authority = "specification: indicators, Who counts where"
[columns]
entity_key = "Number of the entity"
has_groups = "Figures by group are asked for: the years asked for and the year before each"
*/
SELECT l.report_year, l.program_key, e.entity_key, y.has_groups
FROM program_level AS l
JOIN entity AS e ON e.report_year = l.report_year AND e.level = l.level AND e.entity_id = l.entity_id
JOIN report_year AS y ON y.report_year = l.report_year
WHERE y.is_requested OR l.level <> 'program'
