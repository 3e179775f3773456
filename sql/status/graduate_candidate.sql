/*
title = "Secondary concentrators: who graduated in the report year"
description = "The denominator of the indicators of program quality, 5S1 and following."
grain = ["report_year", "student_key", "program_key"]
authority = "specification: indicators, 5S1 to 5S3"
[columns]
denominator = "The last exit is a diploma that graduates, with the report year"
exclusion = "Why not in the denominator"
*/
SELECT
    report_year, student_key, program_key,
    is_graduate AND (exit_year IS NOT DISTINCT FROM report_year) AS denominator,
    CASE
        WHEN (exit_year IS DISTINCT FROM report_year) THEN 'not_exited'
        WHEN NOT is_graduate THEN 'not_graduated'
    END AS exclusion
FROM secondary_concentrator
