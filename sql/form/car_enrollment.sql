/*
title = "Students enrolled in the state, of the years asked for and the year before each"
grain = ["report_year", "education_level", "status", "group_kind", "group_code", "career_cluster"]
authority = "specification: indicators, Enrollment counts; federal-report, forms 1 and 2"
*/
SELECT report_year, education_level, status, group_kind, group_code, career_cluster, students
FROM enrollment_figure
WHERE level = 'state'
UNION ALL
SELECT report_year, education_level, status, group_kind, group_code, career_cluster, students
FROM enrollment_before
