/*
title = "Years in the program"
grain = ["report_year", "student_key", "program_key"]
authority = "specification: indicators, Status of a student in a program; 3P1"
order = 130
[columns]
sentence = "In words"
*/
SELECT report_year, student_key, program_key,
    concat('courses or program enrollments from ', first_school_year, ' to ', last_school_year) AS sentence
FROM student_program_status
