/*
title = "Secondary concentrators and the academic subjects: who counts, who is proficient"
grain = ["report_year", "student_key", "program_key", "subject"]
authority = "specification: indicators, 2S1 to 2S3, rule 2S population"
[columns]
subject = "Code of the subject, see reference.academic_subject"
denominator = "With a valid score: of the report year, or of any year by those who last exited in it, by the rule"
numerator = "Proficient in the latest year with a valid score"
exclusion = "Why not in the denominator"
*/
SELECT
    c.report_year, c.student_key, c.program_key, u.subject,
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
FROM reference.academic_subject AS u
CROSS JOIN rule AS r
JOIN secondary_concentrator AS c ON c.report_year = r.report_year
LEFT JOIN academic_score AS s ON s.report_year = c.report_year AND s.student_key = c.student_key AND s.subject = u.subject
