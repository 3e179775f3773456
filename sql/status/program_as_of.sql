/*
title = "The latest row of each program as of the report year, with its institution and the gender it is nontraditional for"
grain = ["report_year", "program_key"]
authority = "specification: indicators, Status: a program whose institution is not known as of the report year is left out"
[columns]
is_secondary = "A program of a school"
program_order = "Rank of program_id in text order"
has_traditional_gender = "A crosswalk row of the CIP names a gender for which the field is nontraditional"
nontraditional_for_f = "The field is nontraditional for women"
nontraditional_for_m = "The field is nontraditional for men"
district_id = "District of the school; a college has none"
*/
WITH latest AS (
    SELECT a.report_year, p.program_key, p.program_id, p.institution_id, p.program_name, p.cip_code, p.approval, p.career_cluster
    FROM program AS p
    JOIN as_of AS a ON a.school_year = p.school_year
    QUALIFY row_number() OVER (PARTITION BY a.report_year, p.program_key ORDER BY p.school_year DESC) = 1
),
field AS (
    SELECT cip_code, bool_or(nontraditional_for = 'F') AS for_f, bool_or(nontraditional_for = 'M') AS for_m
    FROM crosswalk
    WHERE nontraditional_for IS NOT NULL
    GROUP BY cip_code
)
SELECT
    p.report_year, p.program_key, k.program_order, p.program_id, p.program_name, p.cip_code, p.approval, p.career_cluster,
    i.education_level, i.education_level = 'secondary' AS is_secondary, i.institution_id, i.institution_name,
    CASE i.education_level WHEN 'secondary' THEN i.district_id END AS district_id, i.grantee_id,
    f.cip_code IS NOT NULL AS has_traditional_gender,
    coalesce(f.for_f, FALSE) AS nontraditional_for_f,
    coalesce(f.for_m, FALSE) AS nontraditional_for_m
FROM latest AS p
JOIN institution_as_of AS i ON i.report_year = p.report_year AND i.institution_id = p.institution_id
JOIN key.program AS k ON k.program_key = p.program_key
LEFT JOIN field AS f ON f.cip_code = p.cip_code
