/*
title = "An exit of a student enrolled below grade 9 in that year"
grain = ["example"]
authority = "specification: collections, Checks on the way in"
collection = "exit"
restricted = true
[columns]
example = "The student and the school year"
*/
WITH young AS (
    SELECT e.student_key, e.school_year
    FROM exit AS e
    JOIN enrollment AS n ON n.student_key = e.student_key AND n.school_year = e.school_year
    GROUP BY e.student_key, e.school_year
    HAVING max(n.grade) < '09'
)
SELECT concat(k.student_id, ' in ', y.school_year) AS example
FROM young AS y
JOIN key.student AS k ON k.student_key = y.student_key
ORDER BY k.student_id, y.school_year
