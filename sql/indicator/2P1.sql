/*
title = "Earned Recognized Postsecondary Credential"
education_level = "postsecondary"
grain = ["report_year", "student_key", "program_key"]
authority = "Perkins V section 113(b)(2)(B)(ii); Oregon guide, 2P1; specification: indicators, rules 2P1 population, 2P1 credential window, whose credential"
denominator_text = "Concentrators who completed (or, by the rule, left) the program in the year before the report year"
numerator_text = "Of these, who earned a recognized credential in the window of the rule"
explain = { denominator = ["completion"], numerator = ["credential"] }
*/
WITH ended AS (
    SELECT DISTINCT c.report_year, c.student_key, c.program_key
    FROM postsecondary_concentrator AS c
    JOIN rule AS r ON r.report_year = c.report_year
    JOIN completion AS e ON e.student_key = c.student_key AND e.program_key = c.program_key
    WHERE e.status_year = c.report_year - 1
        AND array_has(r.postsecondary_credential_population, e.status)
),
earned AS (
    SELECT DISTINCT c.report_year, c.student_key, c.program_key
    FROM ended AS c
    JOIN rule AS r ON r.report_year = c.report_year
    JOIN credential AS e ON e.student_key = c.student_key
    WHERE e.recognized AND e.earned_on <= make_date(c.report_year, 6, 30)
        -- A window of 0 years has no first day.
        AND (r.credential_window_years = 0 OR e.earned_on >= make_date(CAST(c.report_year - r.credential_window_years AS INT), 7, 1))
        AND (r.credential_programs = 'any' OR e.program_key IS NULL OR e.program_key = c.program_key)
)
SELECT
    c.report_year, c.student_key, c.program_key,
    d.student_key IS NOT NULL AS denominator,
    e.student_key IS NOT NULL AS numerator,
    CASE WHEN d.student_key IS NULL THEN 'not_completed' END AS exclusion
FROM postsecondary_concentrator AS c
LEFT JOIN ended AS d ON d.report_year = c.report_year AND d.student_key = c.student_key AND d.program_key = c.program_key
LEFT JOIN earned AS e ON e.report_year = c.report_year AND e.student_key = c.student_key AND e.program_key = c.program_key
