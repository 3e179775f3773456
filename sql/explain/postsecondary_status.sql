/*
title = "Status"
description = "What a postsecondary program asks of a concentrator, and what the student has."
grain = ["report_year", "student_key", "program_key"]
authority = "specification: indicators, Rules are data and Status of a student in a program; Oregon guide, CTE Enrollment Status"
order = 111
[columns]
sentence = "In words"
*/
SELECT s.report_year, s.student_key, s.program_key,
    concat(
        CASE s.status WHEN 'concentrator' THEN 'a concentrator: ' WHEN 'participant' THEN 'a participant, not a concentrator: ' ELSE 'not a concentrator: ' END,
        CAST(CAST(s.credits AS DECIMAL(9, 2)) AS VARCHAR), ' credits passed of ', CAST(r.postsecondary_concentrator_credits AS VARCHAR), ' required (',
        CAST(CAST(s.cte_specific_credits AS DECIMAL(9, 2)) AS VARCHAR),
        CASE WHEN r.postsecondary_concentrator_specific_credits > 0
            THEN concat(' of ', CAST(r.postsecondary_concentrator_specific_credits AS VARCHAR), ' required') ELSE '' END,
        ' CTE-specific), ', s.courses_passed, CASE s.courses_passed WHEN 1 THEN ' course passed' ELSE ' courses passed' END,
        '; or the completion of a program that offers fewer than ', CAST(r.postsecondary_short_program_credits AS VARCHAR), ' credits'
    ) AS sentence
FROM student_program_status AS s
JOIN rule AS r ON r.report_year = s.report_year
WHERE s.education_level = 'postsecondary'
