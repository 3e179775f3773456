/*
title = "School enrollment of students of programs as of the report year"
grain = ["report_year", "student_key"]
authority = "specification: indicators, Exits; 4S1"
[columns]
last_enrollment_year = "Latest school year with any enrollment"
last_secondary_year = "Latest school year with an enrollment in grade 06 to 12 or SP"
last_grade_version = "The latest school year with any enrollment and the highest grade of it: 16 times the year, and the rank of the grade"
last_secondary_grade_version = "The same of the enrollments in grade 06 to 12 or SP"
last_high_school_year = "Latest school year with an enrollment in grade 09 to 12 or SP"
*/
SELECT
    a.report_year, e.student_key, max(e.school_year) AS last_enrollment_year,
    max(e.school_year) FILTER (WHERE e.is_secondary_enrollment) AS last_secondary_year,
    max(e.school_year) FILTER (WHERE e.is_high_school_enrollment) AS last_high_school_year,
    max(e.school_year * 16 + e.grade_rank) AS last_grade_version,
    max(e.school_year * 16 + e.grade_rank) FILTER (WHERE e.is_secondary_enrollment) AS last_secondary_grade_version
FROM enrollment AS e
LEFT SEMI JOIN student_program_status AS c ON c.student_key = e.student_key
JOIN as_of AS a ON a.school_year = e.school_year
GROUP BY a.report_year, e.student_key
