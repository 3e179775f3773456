/*
title = "Number of programs of a student as of the report year, and the last year with any of them"
grain = ["report_year", "student_key"]
authority = "specification: indicators, Status of a student in a program"
[columns]
programs = "Programs with a course or program enrollment"
last_school_year = "Last year with a course or program enrollment in any of them"
*/
SELECT report_year, student_key, count(*) AS programs, max(last_school_year) AS last_school_year
FROM student_program_status
GROUP BY report_year, student_key
