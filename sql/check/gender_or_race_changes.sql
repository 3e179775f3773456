/*
title = "Gender or race changes between years"
grain = ["example"]
authority = "specification: collections, Checks on the way in"
collection = "student"
restricted = true
[columns]
example = "The student"
*/
WITH changed AS (
    SELECT student_key
    FROM student
    GROUP BY student_key
    HAVING min(gender) <> max(gender) OR min(race_ethnicity) <> max(race_ethnicity)
)
SELECT k.student_id AS example
FROM changed AS c
JOIN key.student AS k ON k.student_key = c.student_key
ORDER BY k.student_id
