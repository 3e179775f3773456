/*
title = "Race unknown below postsecondary"
grain = ["example"]
authority = "specification: collections, Checks on the way in"
collection = "student"
restricted = true
[columns]
example = "The student and the school year"
*/
SELECT concat(k.student_id, ' in ', s.school_year) AS example
FROM student AS s
JOIN key.student AS k ON k.student_key = s.student_key
WHERE s.race_ethnicity = 'unknown' AND s.education_level <> 'postsecondary'
ORDER BY k.student_id, s.school_year
