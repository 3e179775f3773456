/*
title = "More than 12 secondary credits in one year"
grain = ["student_id", "school_year"]
authority = "specification: collections, Checks on the way in"
collection = "cte_course"
restricted = true
[columns]
student_id = "The student"
school_year = "The school year"
*/
WITH much AS (
    SELECT student_key, school_year
    FROM cte_course
    WHERE is_high_school_grade OR is_middle_grade
    GROUP BY student_key, school_year
    HAVING sum(credits_earned) > 12
)
SELECT k.student_id, m.school_year
FROM much AS m
JOIN key.student AS k ON k.student_key = m.student_key
ORDER BY k.student_id, m.school_year
