/*
title = "From when until when a row of an institution is the latest, with the district it then belongs to"
description = "For school years that are no report year of the run."
grain = ["institution_id", "first_school_year"]
authority = "specification: indicators, Status: district by the latest row; colleges have no district"
[columns]
first_school_year = "The row's school year"
next_school_year = "School year of the institution's next row; 9999 if there is none"
*/
SELECT
    institution_id, school_year AS first_school_year,
    lead(school_year, 1, 9999) OVER (PARTITION BY institution_id ORDER BY school_year) AS next_school_year,
    CASE education_level WHEN 'secondary' THEN district_id END AS district_id
FROM institution
