/*
title = "The quarter in which former secondary concentrators are looked for"
grain = ["report_year", "student_key", "program_key"]
authority = "specification: indicators, rule 3S1 quarter; Oregon guide, 3S1 (fall quarter)"
[columns]
quarter = "Calendar quarter, counted on: 4 times the year and the quarter less one"
*/
SELECT
    c.report_year, c.student_key, c.program_key,
    CASE r.secondary_placement_quarter
        WHEN 'fourth_quarter_of_exit_year' THEN (c.report_year - 1) * 4 + 3
        ELSE c.exit_quarter + 2
    END AS quarter
FROM secondary_concentrator AS c
JOIN rule AS r ON r.report_year = c.report_year
WHERE c.exit_year = c.report_year - 1 AND NOT c.is_removed
