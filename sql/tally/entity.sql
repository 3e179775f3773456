/*
title = "Entities that may have figures, numbered in the order of level and id, with the grantee whose targets they take"
grain = ["report_year", "entity_key"]
authority = "specification: indicators, Targets; Names of entities"
[columns]
entity_key = "Number of the entity, in the order of report year, level and id"
level = "state, grantee, district, institution or program"
target_grantee_id = "The grantee whose own targets apply; null for the state and for a district of several grantees"
*/
WITH listed AS (
    SELECT l.report_year, l.level, l.entity_id, min(p.grantee_id) AS first_grantee, max(p.grantee_id) AS last_grantee
    FROM program_level AS l
    JOIN program_as_of AS p ON p.report_year = l.report_year AND p.program_key = l.program_key
    GROUP BY l.report_year, l.level, l.entity_id
),
-- Every institution of a district tells its grantees, also one without programs.
district AS (
    SELECT report_year, district_id, min(grantee_id) AS first_grantee, max(grantee_id) AS last_grantee
    FROM institution_as_of
    WHERE district_id IS NOT NULL AND education_level = 'secondary'
    GROUP BY report_year, district_id
)
SELECT
    l.report_year,
    row_number() OVER (ORDER BY l.report_year, l.level, l.entity_id) AS entity_key,
    l.level, l.entity_id,
    CASE l.level WHEN 'state' THEN j.name ELSE coalesce(n.entity_name, l.entity_id) END AS entity_name,
    CASE l.level
        WHEN 'state' THEN NULL
        WHEN 'district' THEN CASE WHEN d.first_grantee = d.last_grantee THEN d.first_grantee END
        ELSE l.first_grantee
    END AS target_grantee_id
FROM listed AS l
CROSS JOIN jurisdiction AS j
LEFT JOIN entity_name AS n ON n.report_year = l.report_year AND n.level = l.level AND n.entity_id = l.entity_id
LEFT JOIN district AS d ON l.level = 'district' AND d.report_year = l.report_year AND d.district_id = l.entity_id
