/*
title = "What was found of the indicators' breakdowns, such as the kinds of placement, as bits"
grain = ["report_year", "student_key", "program_key"]
authority = "specification: outputs, placement rows"
[columns]
numerators = "Bits of the breakdown's measures that were found"
*/
SELECT b.report_year, b.student_key, b.program_key, bit_or(s.mask) AS numerators
FROM breakdown_row AS b
JOIN measure AS s ON s.indicator = b.indicator AND s.group_code = b.group_code
GROUP BY b.report_year, b.student_key, b.program_key
