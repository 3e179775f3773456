/*
title = "Completed or left"
grain = ["report_year", "student_key", "program_key", "place", "sentence"]
authority = "specification: indicators: the year of a completion or a leaving is its status_date's, 1 July to 30 June"
order = 160
[columns]
place = "Order of the sentences"
sentence = "In words"
*/
SELECT a.report_year, c.student_key, c.program_key, c.status_quarter AS place,
    concat(CAST(c.status AS VARCHAR), ' the program on ', CAST(c.status_date AS VARCHAR), ' (year ', c.status_year, ')',
        CASE WHEN c.required_credits IS NULL THEN '' ELSE concat('; the program then offered ', CAST(c.required_credits AS VARCHAR), ' credits') END) AS sentence
FROM completion AS c
JOIN as_of AS a ON a.school_year = c.known_year
