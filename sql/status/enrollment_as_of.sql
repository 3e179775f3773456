/*
title = "School enrollment of students of programs as of the report year"
grain = ["report_year", "student_key"]
authority = "specification: indicators, Exits; 4S1"
[columns]
last_enrollment_year = "Latest school year with any enrollment"
last_secondary_year = "Latest school year with an enrollment in grade 06 to 12 or SP"
last_grade_rank = "Rank of the highest grade of the latest year with any enrollment, see staging"
last_secondary_grade_rank = "The same of the enrollments in grade 06 to 12 or SP"
last_high_school_year = "Latest school year with an enrollment in grade 09 to 12 or SP"
*/
WITH latest AS (
    SELECT
        a.report_year, e.student_key, max(e.school_year * 16 + e.grade_rank) AS version,
        max(e.school_year * 16 + e.grade_rank) FILTER (WHERE e.is_secondary_enrollment) AS secondary_version,
        max(e.school_year) FILTER (WHERE e.is_high_school_enrollment) AS last_high_school_year
    FROM enrollment AS e
    LEFT SEMI JOIN student_activity AS c ON c.student_key = e.student_key
    JOIN as_of AS a ON a.school_year = e.school_year
    GROUP BY a.report_year, e.student_key
)
SELECT
    report_year, student_key, version / 16 AS last_enrollment_year, secondary_version / 16 AS last_secondary_year, last_high_school_year,
    version % 16 AS last_grade_rank, secondary_version % 16 AS last_secondary_grade_rank
FROM latest
