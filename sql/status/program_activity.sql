/*
title = "What a student did in a program: a row for each course taken and each program enrollment"
grain = ["student_key", "program_key", "school_year", "course_key"]
authority = "specification: indicators, Status of a student in a program"
[columns]
course_key = "Stable whole number that stands for course_code; null: a program enrollment"
is_primary = "Flagged by the student as the primary program"
*/
SELECT
    student_key, program_key, school_year, course_key, passed, is_high_school_grade, is_middle_grade, is_advanced, is_program_specific,
    credits_earned, FALSE AS is_primary
FROM cte_course
UNION ALL
SELECT student_key, program_key, school_year, NULL, FALSE, FALSE, FALSE, FALSE, FALSE, NULL, is_primary
FROM program_enrollment
