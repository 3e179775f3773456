/*
title = "Career clusters of each program as of the report year"
grain = ["report_year", "program_key", "career_cluster"]
authority = "specification: indicators, Career clusters: the program's own, else every crosswalk row of its CIP, else other; labels outside the year's framework are ignored, as if they were not given"
[columns]
career_cluster = "Code of the cluster in the year's framework, or other"
*/
WITH label AS (
    SELECT r.report_year, l.label, l.code
    FROM rule AS r
    JOIN reference.career_cluster_label AS l ON l.framework = r.career_cluster_framework
),
given AS (
    SELECT report_year, program_key, lower(trim(unnest(string_to_array(career_cluster, ';')))) AS label
    FROM program_as_of
    WHERE career_cluster IS NOT NULL
),
own AS (
    SELECT DISTINCT g.report_year, g.program_key, l.code AS career_cluster
    FROM given AS g
    JOIN label AS l ON l.report_year = g.report_year AND l.label = g.label
),
-- The shipped crosswalk also gives a cluster for a whole CIP series (its first digits), for fields that it does not list: the longest counts.
matched AS (
    SELECT p.report_year, p.program_key, c.career_cluster, c.cip_code
    FROM program_as_of AS p
    JOIN crosswalk AS c ON c.cip_code IN (p.cip_code, substr(p.cip_code, 1, 5), substr(p.cip_code, 1, 2))
    LEFT ANTI JOIN own AS o ON o.report_year = p.report_year AND o.program_key = p.program_key
    QUALIFY length(c.cip_code) = max(length(c.cip_code)) OVER (PARTITION BY p.report_year, p.program_key)
),
listed AS (
    SELECT DISTINCT m.report_year, m.program_key, l.code AS career_cluster
    FROM matched AS m
    JOIN label AS l ON l.report_year = m.report_year AND l.label = lower(trim(m.career_cluster))
),
coded AS (
    SELECT report_year, program_key, career_cluster FROM own
    UNION ALL SELECT report_year, program_key, career_cluster FROM listed
)
SELECT report_year, program_key, career_cluster FROM coded
UNION ALL
SELECT p.report_year, p.program_key, 'other' AS career_cluster
FROM program_as_of AS p
LEFT ANTI JOIN coded AS c ON c.report_year = p.report_year AND c.program_key = p.program_key
