/*
title = "Indicator membership"
description = "One row for each candidate of an indicator: a student and a program in which the student is a concentrator as of the report year. A student with no enrollment, course, program enrollment, exit or cohort in the report year or the one before, and in no denominator, is left out."
grain = ["report_year", "indicator", "student_id", "program_id"]
authority = "specification: outputs, indicator_membership"
restricted = true
[columns]
report_year = "Report year: 2024 is 1 July 2023 to 30 June 2024"
indicator = "Id of the indicator, such as 1S1"
denominator = "In the indicator's denominator"
numerator = "In the indicator's numerator"
exclusion = "Why not in the denominator; null exactly when denominator is yes"
*/
SELECT
    m.report_year, f.indicator, k.student_id, p.program_id, m.denominator, m.numerator, m.exclusion,
    -- Room for 2^27 students and 2^23 programs.
    (((CAST(m.report_year AS BIGINT) - 1990) * 64 + f.indicator_order) * 134217728 + k.student_order) * 8388608 + p.program_order AS place
FROM requested AS q
JOIN membership AS m ON m.report_year = q.report_year
JOIN figure_measure AS f ON f.mask = m.measure_mask
JOIN key.student AS k ON k.student_key = m.student_key
JOIN key.program AS p ON p.program_key = m.program_key
