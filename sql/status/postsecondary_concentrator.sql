/*
title = "Concentrators of postsecondary programs"
description = "Students who are not recent (see student_standing) and have not completed or left a program by its date either are left out."
grain = ["report_year", "student_key", "program_key"]
authority = "specification: indicators, The indicators"
[columns]
is_in_program = "A course or program enrollment in this program in the report year"
*/
WITH ended AS (
    SELECT DISTINCT a.report_year, c.student_key
    FROM completion AS c
    JOIN as_of AS a ON a.school_year = c.status_year
    WHERE c.status_year >= a.report_year - 1
)
SELECT
    c.report_year, c.student_key, c.program_key, c.approval, c.is_primary, c.has_traditional_gender, c.is_nontraditional, c.groups,
    c.last_school_year = c.report_year AS is_in_program
FROM concentrator AS c
JOIN student_standing AS s ON s.report_year = c.report_year AND s.student_key = c.student_key
LEFT JOIN ended AS d ON d.report_year = c.report_year AND d.student_key = c.student_key
WHERE c.education_level = 'postsecondary' AND (s.is_recent OR d.student_key IS NOT NULL)
