/*
title = "Students with a course or program enrollment of the year before one asked for, by the status they had in the program"
description = "Only for outputs that compare with the year before; see enrolled_in_year."
grain = ["report_year", "student_key", "program_key", "cell"]
authority = "specification: indicators, Enrollment counts"
[columns]
groups = "Bit mask of the student's groups, nontraditional by this program"
cell = "Education level and status as a number, see enrolled_in_year"
*/
SELECT e.report_year, e.student_key, e.program_key, e.cell, e.groups
FROM report_year AS q
JOIN enrolled_in_year AS e ON e.report_year = q.report_year
WHERE NOT q.is_requested
