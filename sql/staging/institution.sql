/*
title = "Institutions, a row for each school year"
grain = ["school_year", "institution_id"]
authority = "specification: collections, institution"
[columns]
education_level = "Level of the programs that the institution gives: a school's are secondary, a college's postsecondary"
*/
SELECT
    school_year, institution_id, institution_name,
    CASE institution_kind WHEN 'college' THEN 'postsecondary' ELSE 'secondary' END AS education_level,
    district_id, district_name, grantee_id, grantee_name, federal_id
FROM lake.institution
