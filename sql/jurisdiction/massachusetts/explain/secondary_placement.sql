/*
title = "Placement looked for"
grain = ["report_year", "student_key", "program_key", "place", "sentence"]
reason = "The Graduate Follow-Up Results of the year before add to the placements of 3S1"
authority = "specification: indicators, rule 3S1 quarter; massachusetts, Graduate follow-up"
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
UNION ALL
SELECT d.report_year, d.student_key, d.program_key, d.quarter AS place,
    concat('graduate follow-up of ', f.school_year, ': ', replace(CAST(f.outcome AS VARCHAR), '_', ' ')) AS sentence
FROM secondary_placement_due AS d
JOIN graduate_follow_up AS f ON f.student_key = d.student_key AND f.school_year = d.report_year - 1
