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
    FROM graduate_candidate AS c
    JOIN rule AS r ON r.report_year = c.report_year
    JOIN credential AS e ON e.student_key = c.student_key
    WHERE c.denominator AND e.recognized AND e.earned_on <= make_date(c.report_year, 8, 31)
        AND (r.credential_programs = 'any' OR e.program_key IS NULL OR e.program_key = c.program_key)
)
SELECT
    c.report_year, c.student_key, c.program_key,
    c.denominator,
    e.student_key IS NOT NULL AS numerator,
    c.exclusion
FROM graduate_candidate AS c
LEFT JOIN earned AS e ON e.report_year = c.report_year AND e.student_key = c.student_key AND e.program_key = c.program_key
