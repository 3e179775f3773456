/*
title = "Courses"
grain = ["report_year", "student_key", "program_key", "place", "sentence"]
authority = "specification: collections, cte_course"
order = 140
[columns]
place = "Order of the sentences"
sentence = "In words"
*/
SELECT a.report_year, c.student_key, c.program_key, c.school_year AS place,
    concat(c.school_year, ' ', CAST(c.course_code AS VARCHAR), CASE WHEN c.term IS NULL THEN '' ELSE concat(', ', CAST(c.term AS VARCHAR)) END, ': ',
        CAST(c.credits_earned AS VARCHAR), ' credits', CASE WHEN c.is_advanced THEN ', intermediate or advanced' ELSE ', introductory' END,
        CASE WHEN c.is_program_specific THEN '' ELSE ', not CTE-specific' END,
        CASE WHEN c.is_high_school_grade THEN '' WHEN c.is_middle_grade THEN ', in grade 06 to 08' ELSE '' END,
        CASE WHEN c.passed THEN '' ELSE ', NOT PASSED' END) AS sentence
FROM cte_course AS c
JOIN as_of AS a ON a.school_year = c.school_year
