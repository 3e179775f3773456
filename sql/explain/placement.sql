/*
title = "Placements"
description = "Those of the two calendar years in which an indicator of the report year may look."
grain = ["report_year", "student_key", "place", "sentence"]
authority = "specification: collections, placement"
order = 70
[columns]
place = "Order of the sentences"
sentence = "In words"
*/
SELECT q.report_year, p.student_key, p.quarter AS place,
    concat('Q', p.quarter % 4 + 1, ' ', p.quarter / 4, ': ', replace(CAST(p.placement_kind AS VARCHAR), '_', ' '), ' (',
        replace(CAST(p.source AS VARCHAR), '_', ' '), CASE WHEN p.high_skill THEN ', high skill' ELSE '' END,
        CASE WHEN p.high_wage THEN ', high wage' ELSE '' END, ')') AS sentence
FROM placement AS p
JOIN requested AS q ON p.quarter / 4 BETWEEN q.report_year - 1 AND q.report_year
