/*
title = "Academic Proficiency in Science"
education_level = "secondary"
grain = ["report_year", "student_key", "program_key"]
authority = "Perkins V section 113(b)(2)(A)(ii); Oregon guide, 2S3; specification: indicators, rule 2S population"
denominator_text = "Concentrators with a valid score in science: tested in the report year, or last exited in it, by the rule"
numerator_text = "Of these, proficient in the latest year with a valid score"
explain = { denominator = ["score:science"], numerator = ["score:science"] }
*/
SELECT
    c.report_year, c.student_key, c.program_key,
    s.score_year IS NOT NULL
        AND CASE r.academic_population
                WHEN 'tested_in_report_year' THEN s.score_year = c.report_year
                ELSE (c.exit_year IS NOT DISTINCT FROM c.report_year) AND NOT c.is_removed
            END AS denominator,
    coalesce(s.is_proficient, FALSE) AS numerator,
    CASE
        WHEN r.academic_population = 'tested_in_report_year' AND (s.score_year IS DISTINCT FROM c.report_year) THEN 'no_valid_score'
        WHEN r.academic_population = 'last_exit' AND (c.exit_year IS DISTINCT FROM c.report_year) THEN 'not_exited'
        WHEN r.academic_population = 'last_exit' AND c.is_removed THEN 'removed_from_cohort'
        WHEN s.score_year IS NULL THEN 'no_valid_score'
    END AS exclusion
FROM secondary_concentrator AS c
JOIN rule AS r ON r.report_year = c.report_year
LEFT JOIN academic_score AS s
    ON s.report_year = c.report_year AND s.student_key = c.student_key AND s.subject = 'science'
