/*
title = "CTE courses taken"
grain = ["school_year", "student_key", "program_key", "course_code", "term"]
authority = "specification: collections, cte_course; indicators, Status of a student in a program"
[columns]
student_key = "Stable whole number that stands for student_id"
program_key = "Stable whole number that stands for program_id"
course_key = "Stable whole number that stands for course_code"
is_high_school_grade = "Taken in grade 09 to 12 or SP, as secondary status asks"
is_middle_grade = "Taken in grade 06 to 08"
is_advanced = "Intermediate or advanced"
is_program_specific = "Counts as CTE-specific program credit; not reported counts as yes"
*/
SELECT
    school_year, student_key, program_key, course_key, course_code, term, grade,
    grade IN ('09', '10', '11', '12', 'SP') AS is_high_school_grade,
    grade IN ('06', '07', '08') AS is_middle_grade,
    course_level IN ('intermediate', 'advanced') AS is_advanced,
    coalesce(cte_specific, TRUE) AS is_program_specific,
    credits_earned, passed
FROM lake.cte_course
