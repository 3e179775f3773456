/*
title = "Completers of a postsecondary program whose placement the report year asks for"
grain = ["report_year", "student_key", "program_key", "status_quarter"]
authority = "specification: indicators, rule 1P1 population; Oregon guide, 1P1"
*/
SELECT DISTINCT c.report_year, c.student_key, c.program_key, e.status_quarter
FROM postsecondary_concentrator AS c
JOIN rule AS r ON r.report_year = c.report_year
JOIN completion AS e ON e.student_key = c.student_key AND e.program_key = c.program_key
WHERE e.status = 'completed'
    AND CASE r.postsecondary_placement_population
        -- The second quarter after falls between Q3 of the year before and Q2 of the report year.
        WHEN 'second_quarter_in_report_year' THEN e.status_quarter + 2 BETWEEN (c.report_year - 1) * 4 + 2 AND c.report_year * 4 + 1
        ELSE e.status_year = c.report_year - 1
    END
