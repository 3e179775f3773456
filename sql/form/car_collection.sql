/*
title = "Which collections the figures of the federal report may rest on"
description = "Those handed over. A shipped crosswalk stands in for one that was not, if it names nontraditional fields."
grain = ["collection"]
authority = "specification: federal-report, forms 1 and 2: a collection that was not handed over is -1; Federal CAR guide, page 26, vii"
[columns]
is_there = "Figures that need it are counted; else they are -1"
*/
WITH nontraditional AS (
    SELECT count(*) AS fields
    FROM crosswalk
    WHERE nontraditional_for IS NOT NULL
)
SELECT c.collection, c.is_given OR (c.collection = 'crosswalk' AND n.fields > 0) AS is_there
FROM nontraditional AS n
CROSS JOIN collection AS c
