/*
title = "Kinds of placement found, as bits of the indicator's breakdown"
grain = ["report_year", "student_key", "program_key"]
authority = "specification: outputs, placement rows"
[columns]
numerators = "Bits of the breakdown's measures that were found"
*/
SELECT b.report_year, b.student_key, b.program_key, bit_or(s.mask) AS numerators
FROM breakdown_row AS b
JOIN reference.placement_group AS g
    ON g.placement_kind = b.placement_kind
    AND (g.flag IS NULL OR (g.flag = 'high_skill' AND b.high_skill) OR (g.flag = 'high_wage' AND b.high_wage))
JOIN measure AS s ON s.indicator = b.indicator AND s.group_code = g.group_code
GROUP BY b.report_year, b.student_key, b.program_key
