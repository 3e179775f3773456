/*
title = "Career clusters of each program as of the report year"
grain = ["report_year", "program_key", "career_cluster"]
authority = "specification: indicators, Career clusters: the program's own, else every crosswalk row of its CIP, else other; labels outside the year's framework are ignored"
[columns]
career_cluster = "Code of the cluster in the year's framework, or other"
*/
WITH own AS (
    SELECT report_year, program_key, unnest(string_to_array(career_cluster, ';')) AS label
    FROM program_as_of
    WHERE career_cluster IS NOT NULL
),
listed AS (
    SELECT p.report_year, p.program_key, c.career_cluster AS label
    FROM program_as_of AS p
    JOIN crosswalk AS c ON c.cip_code = p.cip_code
    WHERE p.career_cluster IS NULL
),
-- The shipped crosswalk also gives a cluster for a whole CIP series (its first two digits), for fields that it does not list.
series AS (
    SELECT p.report_year, p.program_key, c.career_cluster AS label
    FROM program_as_of AS p
    JOIN crosswalk AS c ON c.cip_code = substr(p.cip_code, 1, 2)
    LEFT ANTI JOIN crosswalk AS x ON x.cip_code = p.cip_code
    WHERE p.career_cluster IS NULL
),
named AS (
    SELECT report_year, program_key, label FROM own
    UNION ALL SELECT report_year, program_key, label FROM listed
    UNION ALL SELECT report_year, program_key, label FROM series
),
coded AS (
    SELECT DISTINCT n.report_year, n.program_key, l.code AS career_cluster
    FROM named AS n
    JOIN rule AS r ON r.report_year = n.report_year
    JOIN reference.career_cluster_label AS l ON l.label = lower(trim(n.label)) AND l.framework = r.career_cluster_framework
)
SELECT report_year, program_key, career_cluster FROM coded
UNION ALL
SELECT p.report_year, p.program_key, 'other' AS career_cluster
FROM program_as_of AS p
LEFT ANTI JOIN coded AS c ON c.report_year = p.report_year AND c.program_key = p.program_key
