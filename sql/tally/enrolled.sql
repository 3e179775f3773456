/*
title = "Students with a course or program enrollment of the report year, by the status they have in the program"
description = "Also of the year before, where an output compares with it. A concentrator is also a participant, so has a row of each. Nontraditional is by row: a student is counted in it when the program of a counted row makes it so."
grain = ["report_year", "student_key", "program_key", "cell"]
authority = "specification: indicators, Enrollment counts"
[columns]
groups = "Bit mask of the student's groups, nontraditional by this program"
is_only = "The student has no other program"
cell = "Education level and status as a number, in text order: 1 middle participant, 2 postsecondary concentrator, 3 postsecondary participant, 4 secondary concentrator, 5 secondary participant"
*/
WITH marked AS (
    SELECT s.report_year, s.student_key, s.program_key, s.education_level, s.status, s.middle_courses_passed,
        CASE WHEN s.is_nontraditional THEN s.groups | m.nontraditional ELSE s.groups END AS groups, v.programs = 1 AS is_only
    FROM group_mask AS m
    CROSS JOIN report_year AS q
    JOIN student_program_status AS s ON s.report_year = q.report_year
    JOIN student_activity AS v ON v.report_year = s.report_year AND v.student_key = s.student_key
    WHERE q.has_groups AND s.last_school_year = s.report_year AND s.approval = 'approved'
)
SELECT report_year, student_key, program_key, CASE education_level WHEN 'postsecondary' THEN 3 ELSE 5 END AS cell, groups, is_only FROM marked WHERE status <> 'enrollee'
UNION ALL
SELECT report_year, student_key, program_key, CASE education_level WHEN 'postsecondary' THEN 2 ELSE 4 END AS cell, groups, is_only FROM marked WHERE status = 'concentrator'
UNION ALL
SELECT report_year, student_key, program_key, 1 AS cell, groups, is_only
FROM marked
WHERE education_level = 'secondary' AND middle_courses_passed > 0
