/*
title = "Students with a course or program enrollment of the report year, by the status they have in the program"
description = "Of the years asked for; see enrolled_in_year."
grain = ["report_year", "student_key", "program_key", "cell"]
authority = "specification: indicators, Enrollment counts"
[columns]
groups = "Bit mask of the student's groups, nontraditional by this program"
cell = "Education level and status as a number, in text order: 1 middle participant, 2 postsecondary concentrator, 3 postsecondary participant, 4 secondary concentrator, 5 secondary participant"
*/
SELECT e.report_year, e.student_key, e.program_key, e.cell, e.groups
FROM requested AS q
JOIN enrolled_in_year AS e ON e.report_year = q.report_year
