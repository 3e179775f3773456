/*
title = "Placement looked for"
grain = ["report_year", "student_key", "program_key", "place", "sentence"]
authority = "specification: indicators, rule 3S1 quarter"
order = 190
[columns]
place = "Order of the sentences"
sentence = "In words"
*/
SELECT d.report_year, d.student_key, d.program_key, d.quarter AS place,
    concat('in Q', d.quarter % 4 + 1, ' ', d.quarter / 4, ': ',
        coalesce(replace(CAST(p.placement_kind AS VARCHAR), '_', ' '), 'nothing found'),
        CASE WHEN p.student_key IS NULL THEN '' ELSE concat(' (', replace(CAST(p.source AS VARCHAR), '_', ' '), ')') END) AS sentence
FROM secondary_placement_due AS d
LEFT JOIN placement AS p ON p.student_key = d.student_key AND p.quarter = d.quarter
