/*
title = "Cohort"
grain = ["report_year", "student_key"]
authority = "specification: indicators, 1S1 and 1S2: the latest cohort year given"
order = 30
[columns]
sentence = "In words"
*/
SELECT report_year, student_key,
    CASE WHEN cohort_year IS NULL THEN 'no cohort year given' ELSE concat('four-year cohort due to graduate in ', cohort_year) END AS sentence
FROM student_as_of
