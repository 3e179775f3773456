/*
title = "Placements of completers in the second quarter after the completion"
grain = ["report_year", "student_key", "program_key", "placement_kind"]
authority = "specification: indicators, 1P1"
*/
SELECT c.report_year, c.student_key, c.program_key, p.placement_kind, bool_or(p.high_skill) AS high_skill, bool_or(p.high_wage) AS high_wage
FROM placement AS p
JOIN postsecondary_completer AS c ON c.student_key = p.student_key AND c.status_quarter + 2 = p.quarter
WHERE p.placement_kind <> 'not_placed'
GROUP BY c.report_year, c.student_key, c.program_key, p.placement_kind
