/*
title = "Placements found after a student left, by calendar quarter"
grain = ["student_key", "quarter", "placement_kind", "source"]
authority = "specification: collections, placement"
[columns]
student_key = "Stable whole number that stands for student_id"
quarter = "Calendar quarter, counted on: 4 times the year and the quarter less one"
*/
SELECT
    student_key, placement_year * 4 + placement_quarter - 1 AS quarter, placement_kind, source,
    coalesce(high_skill, FALSE) AS high_skill, coalesce(high_wage, FALSE) AS high_wage
FROM lake.placement
