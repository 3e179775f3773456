/*
title = "The entities of a program: state, grantee, district, institution, and itself"
grain = ["report_year", "program_key", "level"]
authority = "specification: indicators, Who counts where: a row belongs to the entities of its program; colleges have no district"
[columns]
level = "state, grantee, district, institution or program"
*/
SELECT p.report_year, p.program_key, 'state' AS level, j.code AS entity_id FROM program_as_of AS p CROSS JOIN jurisdiction AS j
UNION ALL
SELECT report_year, program_key, 'grantee' AS level, grantee_id AS entity_id FROM program_as_of
UNION ALL
SELECT report_year, program_key, 'district' AS level, district_id AS entity_id FROM program_as_of WHERE district_id IS NOT NULL
UNION ALL
SELECT report_year, program_key, 'institution' AS level, institution_id AS entity_id FROM program_as_of
UNION ALL
SELECT report_year, program_key, 'program' AS level, program_id AS entity_id FROM program_as_of
