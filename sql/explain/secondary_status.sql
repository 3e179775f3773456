/*
title = "Status"
description = "What a secondary program asks of a concentrator, and what the student has."
grain = ["report_year", "student_key", "program_key"]
authority = "specification: indicators, Rules are data and Status of a student in a program; Oregon guide, CTE Enrollment Status"
order = 110
[columns]
sentence = "In words"
*/
SELECT s.report_year, s.student_key, s.program_key,
    concat(
        CASE s.status WHEN 'concentrator' THEN 'a concentrator: ' WHEN 'participant' THEN 'a participant, not a concentrator: ' ELSE 'not a concentrator: ' END,
        CAST(CAST(s.credits AS DECIMAL(9, 2)) AS VARCHAR), ' credits passed in grade 09 to 12 or SP',
        CASE WHEN r.secondary_concentrator_credits > 0 THEN concat(' of ', CAST(r.secondary_concentrator_credits AS VARCHAR), ' required') ELSE '' END,
        ' (', CAST(CAST(s.advanced_credits AS DECIMAL(9, 2)) AS VARCHAR),
        CASE WHEN r.secondary_concentrator_advanced_credits > 0 THEN concat(' of ', CAST(r.secondary_concentrator_advanced_credits AS VARCHAR), ' required') ELSE '' END,
        ' intermediate or advanced), ', s.courses_passed,
        CASE s.courses_passed WHEN 1 THEN ' course passed' ELSE ' courses passed' END,
        CASE WHEN r.secondary_concentrator_courses > 0 THEN concat(' of ', r.secondary_concentrator_courses, ' required') ELSE '' END,
        CASE WHEN s.status = 'enrollee' THEN concat('; a participant needs ',
            CASE WHEN r.secondary_participant_credits > 0 THEN concat(CAST(r.secondary_participant_credits AS VARCHAR), ' credits') ELSE '' END,
            CASE WHEN r.secondary_participant_credits > 0 AND r.secondary_participant_courses > 0 THEN ' and ' ELSE '' END,
            CASE WHEN r.secondary_participant_courses > 0 THEN concat(r.secondary_participant_courses, ' course(s)') ELSE '' END) ELSE '' END
    ) AS sentence
FROM student_program_status AS s
JOIN rule AS r ON r.report_year = s.report_year
WHERE s.education_level = 'secondary'
