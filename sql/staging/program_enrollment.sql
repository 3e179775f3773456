/*
title = "Program enrollments, with the year in which a completion or leaving falls"
grain = ["school_year", "student_key", "program_key"]
authority = "specification: collections, program_enrollment; indicators: the year of a completion or a leaving is its status_date's"
[columns]
student_key = "Stable whole number that stands for student_id"
program_key = "Stable whole number that stands for program_id"
status_year = "School year (1 July to 30 June) of status_date"
status_quarter = "Calendar quarter of status_date, counted on: 4 times the year and the quarter less one"
*/
SELECT
    school_year, student_key, program_key, coalesce(is_primary, FALSE) AS is_primary, status, status_date,
    CAST(date_part('year', status_date) + CASE WHEN date_part('month', status_date) >= 7 THEN 1 ELSE 0 END AS INT) AS status_year,
    CAST(date_part('year', status_date) * 4 + date_part('quarter', status_date) - 1 AS INT) AS status_quarter
FROM lake.program_enrollment
