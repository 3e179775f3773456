/*
title = "Credentials"
grain = ["report_year", "student_key", "place", "sentence"]
authority = "specification: collections, credential"
order = 80
[columns]
place = "Order of the sentences"
sentence = "In words"
*/
SELECT q.report_year, c.student_key, date_part('year', c.earned_on) * 10000 + date_part('month', c.earned_on) * 100 + date_part('day', c.earned_on) AS place,
    concat(CAST(c.credential_code AS VARCHAR), ' earned on ', CAST(c.earned_on AS VARCHAR), CASE WHEN c.recognized THEN ', recognized' ELSE ', not recognized' END,
        CASE WHEN k.program_id IS NULL THEN ', naming no program' ELSE concat(', of program ', k.program_id) END) AS sentence
FROM credential AS c
JOIN requested AS q ON c.earned_on <= make_date(q.report_year, 8, 31)
LEFT JOIN key.program AS k ON k.program_key = c.program_key
