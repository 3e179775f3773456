/*
title = "What a student did in a program: a row for each course taken, each program enrollment, and each completion of the program"
grain = ["student_key", "program_key", "known_year", "course_key"]
authority = "specification: indicators, Status of a student in a program"
[columns]
known_year = "First report year that knows of it: the school year; of a completion, the later of the row's school year and the date's"
school_year = "Year of the course or enrollment; null: a completion"
course_key = "Stable whole number that stands for course_code; null: no course"
is_primary = "Flagged by the student as the primary program"
completed_program_credits = "Credits that the completed program then offered; null: no completion"
*/
SELECT
    student_key, program_key, school_year AS known_year, school_year, course_key, passed, is_high_school_grade, is_middle_grade, is_advanced,
    is_program_specific, credits_earned, FALSE AS is_primary, CAST(NULL AS DECIMAL(6, 2)) AS completed_program_credits
FROM cte_course
UNION ALL
SELECT
    student_key, program_key, school_year AS known_year, school_year, NULL AS course_key, FALSE AS passed, FALSE AS is_high_school_grade,
    FALSE AS is_middle_grade, FALSE AS is_advanced, FALSE AS is_program_specific, NULL AS credits_earned, is_primary,
    NULL AS completed_program_credits
FROM program_enrollment
UNION ALL
SELECT
    student_key, program_key, known_year, NULL AS school_year, NULL AS course_key, FALSE AS passed, FALSE AS is_high_school_grade,
    FALSE AS is_middle_grade, FALSE AS is_advanced, FALSE AS is_program_specific, NULL AS credits_earned, FALSE AS is_primary,
    required_credits AS completed_program_credits
FROM completion
WHERE status = 'completed' AND required_credits IS NOT NULL
