/*
title = "Placements of former secondary concentrators in the quarter that counts"
grain = ["report_year", "student_key", "program_key", "placement_kind"]
authority = "specification: indicators, rule 3S1 quarter; Oregon guide, 3S1 (fall quarter)"
*/
SELECT d.report_year, d.student_key, d.program_key, p.placement_kind, bool_or(p.high_skill) AS high_skill, bool_or(p.high_wage) AS high_wage
FROM placement AS p
JOIN secondary_placement_due AS d ON d.student_key = p.student_key AND d.quarter = p.quarter
WHERE p.placement_kind <> 'not_placed'
GROUP BY d.report_year, d.student_key, d.program_key, p.placement_kind
