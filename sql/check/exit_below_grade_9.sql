/*
title = "An exit of a student enrolled below grade 9 in that year"
grain = ["student_id", "school_year"]
authority = "specification: collections, Checks on the way in"
collection = "exit"
restricted = true
[columns]
student_id = "The student"
school_year = "The school year"
*/
WITH young AS (
    SELECT e.student_key, e.school_year
    FROM exit AS e
    JOIN enrollment AS n ON n.student_key = e.student_key AND n.school_year = e.school_year
    GROUP BY e.student_key, e.school_year
    HAVING max(n.grade) < '09'
)
SELECT k.student_id, y.school_year
FROM young AS y
JOIN key.student AS k ON k.student_key = y.student_key
ORDER BY k.student_id, y.school_year
