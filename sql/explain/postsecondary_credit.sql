/*
title = "Postsecondary credits"
grain = ["report_year", "student_key", "program_key", "place", "sentence"]
authority = "specification: indicators, 5S2"
order = 180
[columns]
place = "Order of the sentences"
sentence = "In words"
*/
SELECT a.report_year, c.student_key, c.program_key, c.school_year AS place,
    concat(CAST(c.credits AS VARCHAR), ' postsecondary credits in ', c.school_year, ' (', replace(CAST(c.credit_kind AS VARCHAR), '_', ' '), ')') AS sentence
FROM postsecondary_credit AS c
JOIN as_of AS a ON a.school_year = c.school_year
