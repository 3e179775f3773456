/*
title = "Gender or race changes between years"
grain = ["student_id"]
authority = "specification: collections, Checks on the way in"
collection = "student"
restricted = true
[columns]
student_id = "The student"
*/
WITH known AS (
    SELECT DISTINCT student_key, gender, race_ethnicity
    FROM student
),
changed AS (
    SELECT student_key
    FROM known
    GROUP BY student_key
    HAVING count(*) > 1
)
SELECT k.student_id
FROM changed AS c
JOIN key.student AS k ON k.student_key = c.student_key
ORDER BY k.student_id
