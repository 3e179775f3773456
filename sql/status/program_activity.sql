/*
title = "What a student did in a program in a school year"
grain = ["student_key", "program_key", "school_year"]
authority = "specification: indicators, Status of a student in a program"
[columns]
credits = "Credits of the courses passed, any grade"
advanced_credits = "Of these, intermediate or advanced"
cte_specific_credits = "Of these, CTE-specific"
courses_passed = "Course codes passed here for the first time, any grade"
high_school_credits = "Credits of the courses passed in grade 09 to 12 or SP"
high_school_advanced_credits = "Of these, intermediate or advanced"
high_school_specific_credits = "Of these, CTE-specific"
high_school_courses_passed = "Course codes passed here for the first time in grade 09 to 12 or SP"
middle_courses_passed = "Rows of courses passed in grade 06 to 08"
courses = "Rows of courses, passed or not"
is_primary = "Flagged by the student as the primary program"
*/
WITH course_year AS (
    SELECT
        student_key, program_key, school_year, count(*) AS courses,
        sum(credits_earned) FILTER (WHERE passed) AS credits,
        sum(credits_earned) FILTER (WHERE passed AND is_advanced) AS advanced_credits,
        sum(credits_earned) FILTER (WHERE passed AND is_program_specific) AS cte_specific_credits,
        sum(credits_earned) FILTER (WHERE passed AND is_high_school_grade) AS high_school_credits,
        sum(credits_earned) FILTER (WHERE passed AND is_high_school_grade AND is_advanced) AS high_school_advanced_credits,
        sum(credits_earned) FILTER (WHERE passed AND is_high_school_grade AND is_program_specific) AS high_school_specific_credits,
        count(*) FILTER (WHERE passed AND is_middle_grade) AS middle_courses_passed
    FROM cte_course
    GROUP BY student_key, program_key, school_year
),
-- A course in two terms, or repeated, is one: it counts in the year in which it was first passed.
first_passed AS (
    SELECT student_key, program_key, min(school_year) AS first_year, min(school_year) FILTER (WHERE is_high_school_grade) AS first_high_school_year
    FROM cte_course
    WHERE passed
    GROUP BY student_key, program_key, course_code
),
event AS (
    SELECT
        student_key, program_key, school_year, courses, credits, advanced_credits, cte_specific_credits,
        high_school_credits, high_school_advanced_credits, high_school_specific_credits, middle_courses_passed,
        0 AS courses_passed, 0 AS high_school_courses_passed, FALSE AS is_primary
    FROM course_year
    UNION ALL
    SELECT student_key, program_key, first_year, 0, NULL, NULL, NULL, NULL, NULL, NULL, 0,
        1, CASE WHEN first_high_school_year = first_year THEN 1 ELSE 0 END, FALSE
    FROM first_passed
    UNION ALL
    SELECT student_key, program_key, first_high_school_year, 0, NULL, NULL, NULL, NULL, NULL, NULL, 0, 0, 1, FALSE
    FROM first_passed
    WHERE first_high_school_year > first_year
    UNION ALL
    SELECT student_key, program_key, school_year, 0, NULL, NULL, NULL, NULL, NULL, NULL, 0, 0, 0, is_primary
    FROM program_enrollment
)
SELECT
    student_key, program_key, school_year,
    sum(courses) AS courses, sum(credits) AS credits, sum(advanced_credits) AS advanced_credits, sum(cte_specific_credits) AS cte_specific_credits,
    sum(courses_passed) AS courses_passed, sum(high_school_credits) AS high_school_credits,
    sum(high_school_advanced_credits) AS high_school_advanced_credits, sum(high_school_specific_credits) AS high_school_specific_credits,
    sum(high_school_courses_passed) AS high_school_courses_passed, sum(middle_courses_passed) AS middle_courses_passed,
    bool_or(is_primary) AS is_primary
FROM event
GROUP BY student_key, program_key, school_year
