/*
title = "From when until when a row of a program is the latest"
grain = ["program_key", "first_school_year"]
authority = "specification: indicators, Status: read from the program row latest at the completion's school year"
[columns]
first_school_year = "The row's school year"
next_school_year = "School year of the program's next row; 9999 if there is none"
*/
SELECT
    program_key, school_year AS first_school_year,
    lead(school_year, 1, 9999) OVER (PARTITION BY program_key ORDER BY school_year) AS next_school_year,
    required_credits
FROM program
