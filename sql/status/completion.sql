/*
title = "Completions and leavings of a program, with the credits that the program then offered"
grain = ["student_key", "program_key", "school_year"]
authority = "specification: indicators: the year of a completion or a leaving is its status_date's, whatever its row's school year; any completion counts"
[columns]
status_year = "School year of the status date"
known_year = "First report year that knows of it: the later of the row's school year and the status year"
required_credits = "Credits the program offers, by its row latest at the status year"
*/
WITH ended AS (
    SELECT student_key, program_key, school_year, status, status_date, status_year, status_quarter, greatest(school_year, status_year) AS known_year
    FROM program_enrollment
    WHERE status <> 'enrolled'
)
SELECT
    e.student_key, e.program_key, e.school_year, e.status, e.status_date, e.status_year, e.status_quarter, e.known_year, p.required_credits
FROM ended AS e
LEFT JOIN program_version AS p
    ON p.program_key = e.program_key AND e.status_year >= p.first_school_year AND e.status_year < p.next_school_year
