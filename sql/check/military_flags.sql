/*
title = "Parent in active military but not in the armed forces: the wider flag is treated as yes"
grain = ["student_id", "school_year", "education_level"]
authority = "specification: collections, Checks on the way in"
collection = "student"
restricted = true
[columns]
student_id = "The student"
school_year = "The school year"
education_level = "The level of the row"
*/
SELECT k.student_id, s.school_year, s.education_level
FROM student AS s
JOIN key.student AS k ON k.student_key = s.student_key
WHERE s.parent_in_active_military AND NOT coalesce(s.parent_in_armed_forces, FALSE)
ORDER BY k.student_id, s.school_year, s.education_level
