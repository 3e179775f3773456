/*
title = "An exit before the cohort began"
description = "A four-year cohort begins in the school year that ends three years before the one in which it is due to graduate."
grain = ["student_id", "school_year"]
authority = "specification: collections, Checks on the way in; cohort_year"
collection = "exit"
restricted = true
[columns]
student_id = "The student"
school_year = "The school year of the exit's row"
*/
WITH cohort AS (
    SELECT student_key, min(cohort_year) AS cohort_year
    FROM student
    WHERE cohort_year IS NOT NULL
    GROUP BY student_key
)
SELECT k.student_id, e.school_year
FROM exit AS e
JOIN cohort AS c ON c.student_key = e.student_key
JOIN key.student AS k ON k.student_key = e.student_key
WHERE e.exit_year < c.cohort_year - 3
ORDER BY k.student_id, e.school_year
