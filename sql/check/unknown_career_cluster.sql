/*
title = "A career cluster that no framework has"
grain = ["example"]
authority = "specification: collections, Checks on the way in; indicators, Career clusters: what is not of the framework is ignored"
collection = "program"
[columns]
example = "The name as given"
*/
WITH given AS (
    SELECT DISTINCT trim(unnest(string_to_array(career_cluster, ';'))) AS example
    FROM program
    WHERE career_cluster IS NOT NULL
)
SELECT g.example
FROM given AS g
LEFT ANTI JOIN reference.career_cluster_label AS l ON l.label = lower(g.example)
WHERE g.example <> '' AND lower(g.example) <> 'other'
ORDER BY g.example
