/*
title = "Placements of completers in the second quarter after the completion"
grain = ["report_year", "student_key", "program_key", "group_code"]
authority = "specification: indicators, 1P1"
[columns]
group_code = "Code under which the placement is counted; null if it has none"
*/
SELECT DISTINCT d.report_year, d.student_key, d.program_key, c.group_code
FROM placement AS p
JOIN postsecondary_completer AS d ON d.student_key = p.student_key AND d.status_quarter + 2 = p.quarter
LEFT JOIN placement_code AS c ON c.placement_kind = p.placement_kind AND c.high_skill = p.high_skill AND c.high_wage = p.high_wage
WHERE p.placement_kind <> 'not_placed'
