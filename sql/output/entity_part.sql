/*
title = "Entities and their parts"
description = "Which entity lies wholly in which: every program of the part is one of the entity. Figures sum only where no student is in two parts."
grain = ["report_year", "level", "entity_id", "part_level", "part_entity_id"]
authority = "specification: disclosure, Protection, 4; indicators, Who counts where"
restricted = true
[columns]
report_year = "Report year: 2024 is 1 July 2023 to 30 June 2024"
level = "state, grantee, district or institution"
entity_id = "Id of the entity; for the state, the jurisdiction's code"
part_level = "A lower level: grantee, district, institution or program"
part_entity_id = "Id of the part"
*/
WITH ranked AS (
    SELECT
        l.report_year, l.program_key, l.level, l.entity_id,
        CASE l.level WHEN 'state' THEN 0 WHEN 'grantee' THEN 1 WHEN 'district' THEN 2 WHEN 'institution' THEN 3 ELSE 4 END AS level_rank
    FROM program_level AS l
    JOIN requested AS q ON q.report_year = l.report_year
),
size AS (
    SELECT report_year, level, entity_id, count(*) AS programs
    FROM ranked
    GROUP BY report_year, level, entity_id
),
shared AS (
    SELECT whole.report_year, whole.level, whole.entity_id, part.level AS part_level, part.entity_id AS part_entity_id, count(*) AS programs
    FROM ranked AS whole
    JOIN ranked AS part
        ON part.report_year = whole.report_year AND part.program_key = whole.program_key AND part.level_rank > whole.level_rank
    GROUP BY whole.report_year, whole.level, whole.entity_id, part.level, part.entity_id
)
SELECT h.report_year, h.level, h.entity_id, h.part_level, h.part_entity_id
FROM shared AS h
JOIN size AS z ON z.report_year = h.report_year AND z.level = h.part_level AND z.entity_id = h.part_entity_id AND z.programs = h.programs
ORDER BY h.report_year, h.level, h.entity_id, h.part_level, h.part_entity_id
