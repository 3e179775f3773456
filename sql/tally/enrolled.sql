/*
title = "Students with a course or program enrollment of the report year, by the status they have in the program"
description = "A concentrator is also a participant, so has a row of each. Nontraditional is by row: a student is counted in it when the program of a counted row makes it so."
grain = ["report_year", "student_key", "program_key", "education_level", "status"]
authority = "specification: indicators, Enrollment counts"
[columns]
groups = "Bit mask of the student's groups, nontraditional by this program"
education_level = "middle, secondary or postsecondary"
status = "participant or concentrator"
*/
WITH marked AS (
    SELECT s.report_year, s.student_key, s.program_key, s.education_level, s.status, s.middle_courses_passed,
        CASE WHEN s.is_nontraditional THEN s.groups | m.nontraditional ELSE s.groups END AS groups
    FROM group_mask AS m
    CROSS JOIN requested AS q
    JOIN student_program_status AS s ON s.report_year = q.report_year
    WHERE s.last_school_year = s.report_year AND s.approval = 'approved'
)
SELECT report_year, student_key, program_key, education_level, 'participant' AS status, groups FROM marked WHERE status <> 'enrollee'
UNION ALL
SELECT report_year, student_key, program_key, education_level, status, groups FROM marked WHERE status = 'concentrator'
UNION ALL
SELECT report_year, student_key, program_key, 'middle' AS education_level, 'participant' AS status, groups
FROM marked
WHERE education_level = 'secondary' AND middle_courses_passed > 0
