/*
title = "Names of entities: the latest given as of the report year"
description = "Of several names given in the same school year, the first in text order."
grain = ["report_year", "level", "entity_id"]
authority = "specification: indicators, Names of entities"
*/
WITH given AS (
    SELECT a.report_year, i.school_year, 'grantee' AS level, i.grantee_id AS entity_id, i.grantee_name AS entity_name
    FROM institution AS i JOIN as_of AS a ON a.school_year = i.school_year
    UNION ALL
    SELECT a.report_year, i.school_year, 'district' AS level, i.district_id AS entity_id, i.district_name AS entity_name
    FROM institution AS i JOIN as_of AS a ON a.school_year = i.school_year
    UNION ALL
    SELECT a.report_year, i.school_year, 'institution' AS level, i.institution_id AS entity_id, i.institution_name AS entity_name
    FROM institution AS i JOIN as_of AS a ON a.school_year = i.school_year
    UNION ALL
    SELECT a.report_year, p.school_year, 'program' AS level, p.program_id AS entity_id, p.program_name AS entity_name
    FROM program AS p JOIN as_of AS a ON a.school_year = p.school_year
)
SELECT report_year, level, entity_id, entity_name
FROM given
WHERE entity_id IS NOT NULL AND entity_name IS NOT NULL
QUALIFY row_number() OVER (PARTITION BY report_year, level, entity_id ORDER BY school_year DESC, entity_name) = 1
