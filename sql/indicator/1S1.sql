/*
title = "Four-Year Graduation Rate"
education_level = "secondary"
grain = ["report_year", "student_key", "program_key"]
authority = "Perkins V section 113(b)(2)(A)(i)(I); Oregon guide, 1S1; specification: indicators"
denominator_text = "Concentrators of the adjusted four-year cohort of the report year"
numerator_text = "Of these, who left with a diploma that graduates"
explain = { denominator = ["cohort", "exit:last"], numerator = ["exit:last"] }
*/
SELECT
    report_year, student_key, program_key,
    (cohort_year IS NOT DISTINCT FROM report_year) AND NOT is_removed AS denominator,
    is_graduate AS numerator,
    CASE
        WHEN (cohort_year IS DISTINCT FROM report_year) THEN 'not_in_cohort'
        WHEN is_removed THEN 'removed_from_cohort'
    END AS exclusion
FROM secondary_concentrator
