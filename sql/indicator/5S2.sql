/*
title = "Program Quality: Attained Postsecondary Credits"
education_level = "secondary"
grain = ["report_year", "student_key", "program_key"]
authority = "Perkins V section 113(b)(2)(A)(iv)(I)(bb); specification: indicators, rule postsecondary credits"
denominator_text = "Concentrators who graduated in the report year"
numerator_text = "Of these, with postsecondary credits earned in this program"
explain = { denominator = ["exit:last"], numerator = ["postsecondary_credit"] }
*/
WITH credited AS (
    SELECT a.report_year, e.student_key, e.program_key, sum(e.credits) AS credits
    FROM postsecondary_credit AS e
    JOIN as_of AS a ON a.school_year = e.school_year
    GROUP BY a.report_year, e.student_key, e.program_key
)
SELECT
    c.report_year, c.student_key, c.program_key,
    c.denominator,
    coalesce(e.credits > r.postsecondary_credits_above, FALSE) AS numerator,
    c.exclusion
FROM graduate_candidate AS c
JOIN rule AS r ON r.report_year = c.report_year
LEFT JOIN credited AS e ON e.report_year = c.report_year AND e.student_key = c.student_key AND e.program_key = c.program_key
