/*
title = "Program Quality: Attained Recognized Postsecondary Credential"
education_level = "secondary"
grain = ["report_year", "student_key", "program_key"]
authority = "Perkins V section 113(b)(2)(A)(iv)(I)(aa); specification: indicators, rule whose credential"
denominator_text = "Concentrators who graduated in the report year"
numerator_text = "Of these, who earned a recognized credential by 31 August"
explain = { denominator = ["exit:last"], numerator = ["credential"] }
*/
WITH earned AS (
    SELECT DISTINCT c.report_year, c.student_key, c.program_key
    FROM secondary_concentrator AS c
    JOIN rule AS r ON r.report_year = c.report_year
    JOIN credential AS e ON e.student_key = c.student_key
    WHERE e.recognized AND e.earned_on <= make_date(c.report_year, 8, 31)
        AND (r.credential_programs = 'any' OR e.program_key IS NULL OR e.program_key = c.program_key)
)
SELECT
    c.report_year, c.student_key, c.program_key,
    c.is_graduate AND (c.exit_year IS NOT DISTINCT FROM c.report_year) AS denominator,
    e.student_key IS NOT NULL AS numerator,
    CASE
        WHEN (c.exit_year IS DISTINCT FROM c.report_year) THEN 'not_exited'
        WHEN NOT c.is_graduate THEN 'not_graduated'
    END AS exclusion
FROM secondary_concentrator AS c
LEFT JOIN earned AS e ON e.report_year = c.report_year AND e.student_key = c.student_key AND e.program_key = c.program_key
