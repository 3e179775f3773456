/*
title = "Placement looked for"
grain = ["report_year", "student_key", "program_key", "place", "sentence"]
authority = "specification: indicators, 1P1: the second quarter after the completion's"
order = 191
[columns]
place = "Order of the sentences"
sentence = "In words"
*/
SELECT d.report_year, d.student_key, d.program_key, d.status_quarter AS place,
    concat('completed in Q', d.status_quarter % 4 + 1, ' ', d.status_quarter / 4, ', looked for in Q',
        (d.status_quarter + 2) % 4 + 1, ' ', (d.status_quarter + 2) / 4, ': ',
        coalesce(replace(CAST(p.placement_kind AS VARCHAR), '_', ' '), 'nothing found'),
        CASE WHEN p.student_key IS NULL THEN '' ELSE concat(' (', replace(CAST(p.source AS VARCHAR), '_', ' '), ')') END) AS sentence
FROM postsecondary_completer AS d
LEFT JOIN placement AS p ON p.student_key = d.student_key AND p.quarter = d.status_quarter + 2
