/*
title = "Gender or race changes between years"
grain = ["student_id"]
authority = "specification: collections, Checks on the way in"
collection = "student"
restricted = true
[columns]
student_id = "The student"
*/
WITH changed AS (
    SELECT student_key
    FROM student
    GROUP BY student_key
    HAVING min(gender) <> max(gender) OR min(race_ethnicity) <> max(race_ethnicity)
)
SELECT k.student_id
FROM changed AS c
JOIN key.student AS k ON k.student_key = c.student_key
ORDER BY k.student_id
