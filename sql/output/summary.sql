/*
title = "Summary: Oregon's ADI Summary report"
description = """
The columns of the Oregon guide's Summary tab, by district, institution and program; its Reporting Year is report_year. Kinds of placement are not
part of it. No column has the program's id, so of two programs of one name at an institution only the order, by program id, tells the rows
apart, and there is no key."""
grain = ["report_year", "attending_district_institution_id", "attending_school_institution_id", "cte_program_name", "perkins_measure", "student_group"]
without_key = true
authority = "Oregon guide, Report: ADI - Summary Tab; specification: outputs, summary"
restricted = true
[columns]
report_year = "Report year: 2024 is 1 July 2023 to 30 June 2024"
school_year = "The school year in words, such as 2023-24"
cte_subgrantee_name = "The grantee; of a district of several grantees, null"
attending_district_institution_id = "The district"
attending_district_institution_name = "Name of the district"
attending_school_institution_id = "The institution that gives the programs; null for a district's row"
attending_school_institution_name = "Name of the institution"
cte_program_name = "The program; null for a district's or institution's row"
perkins_measure = "Id of the indicator"
student_group = "Kind and code of the group, such as gender:F; all for all students"
total_students = "Students in the denominator"
students_meeting_standard = "Students in the numerator"
percent_meeting_standard = "100 times the numerator by the denominator, unrounded"
target = "The entity's target in percent"
met_status = "met, within_90 or below_90; null without a target"
*/
WITH place AS (
    SELECT DISTINCT e.report_year, e.entity_key, e.target_grantee_id AS grantee_id, e.entity_id AS district_id, NULL AS institution_id, NULL AS program_name
    FROM entity AS e
    WHERE e.level = 'district'
    UNION ALL
    SELECT e.report_year, e.entity_key, i.grantee_id, CASE i.education_level WHEN 'secondary' THEN i.district_id END, i.institution_id, NULL
    FROM entity AS e
    JOIN institution_as_of AS i ON i.report_year = e.report_year AND i.institution_id = e.entity_id
    WHERE e.level = 'institution'
    UNION ALL
    SELECT e.report_year, e.entity_key, p.grantee_id, p.district_id, p.institution_id, p.program_name
    FROM entity AS e
    JOIN program_as_of AS p ON p.report_year = e.report_year AND p.program_id = e.entity_id
    WHERE e.level = 'program'
)
SELECT
    f.report_year,
    concat(CAST(f.report_year - 1 AS VARCHAR), '-', substr(CAST(f.report_year AS VARCHAR), 3, 2)) AS school_year,
    CASE WHEN p.grantee_id IS NOT NULL THEN coalesce(g.entity_name, p.grantee_id) END AS cte_subgrantee_name,
    p.district_id AS attending_district_institution_id,
    CASE WHEN p.district_id IS NOT NULL THEN coalesce(d.entity_name, p.district_id) END AS attending_district_institution_name,
    p.institution_id AS attending_school_institution_id,
    CASE WHEN p.institution_id IS NOT NULL THEN coalesce(s.entity_name, p.institution_id) END AS attending_school_institution_name,
    p.program_name AS cte_program_name,
    f.indicator AS perkins_measure,
    CASE f.group_kind WHEN 'all' THEN 'all' ELSE concat(f.group_kind, ':', f.group_code) END AS student_group,
    f.denominator AS total_students, f.numerator AS students_meeting_standard, f.rate AS percent_meeting_standard, f.target, f.status AS met_status,
    -- The order of the figure, with the entity before the indicator.
    ((CAST(f.report_year AS BIGINT) * 16777216 + f.entity_key) * 64 + f.place / 17179869184 % 64) * 1024 + f.place % 1024 AS place
FROM figure AS f
JOIN requested AS q ON q.report_year = f.report_year
JOIN place AS p ON p.report_year = f.report_year AND p.entity_key = f.entity_key
LEFT JOIN entity_name AS g ON g.report_year = f.report_year AND g.level = 'grantee' AND g.entity_id = p.grantee_id
LEFT JOIN entity_name AS d ON d.report_year = f.report_year AND d.level = 'district' AND d.entity_id = p.district_id
LEFT JOIN entity_name AS s ON s.report_year = f.report_year AND s.level = 'institution' AND s.entity_id = p.institution_id
WHERE f.group_kind <> 'placement'
