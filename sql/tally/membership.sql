/*
title = "Every candidate of every indicator: in the denominator, in the numerator, or why not"
description = "What holds for all indicators alike is said here once: the numerator lies within the denominator, and a startup program is in no figure."
grain = ["report_year", "indicator", "student_key", "program_key"]
authority = "specification: indicators, The indicators; Status (startup programs)"
[columns]
measure_mask = "Bit of the indicator"
breakdown_mask = "Bits of the indicator's breakdown, such as the kinds of placement"
*/
SELECT
    i.report_year, i.indicator, i.student_key, i.program_key,
    i.denominator AND g.approval = 'approved' AS denominator,
    i.denominator AND i.numerator AND g.approval = 'approved' AS numerator,
    CASE WHEN g.approval <> 'approved' THEN 'startup_program' WHEN NOT i.denominator THEN i.exclusion END AS exclusion,
    i.measure_mask, i.breakdown_mask
FROM program_as_of AS g
JOIN indicator_row AS i ON i.report_year = g.report_year AND i.program_key = g.program_key
