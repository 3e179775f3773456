/*
title = "Nontraditional Program Concentration"
education_level = "secondary"
grain = ["report_year", "student_key", "program_key"]
authority = "Perkins V section 113(b)(2)(A)(v); Oregon guide, 4S1; specification: indicators, rule programs in 4S1"
denominator_text = "Concentrators enrolled in grade 09 to 12 in the report year, in a program with a traditional gender, chosen by the rule"
numerator_text = "Of these, nontraditional in the program"
explain = { denominator = ["enrollment", "primary", "nontraditional"], numerator = ["nontraditional"] }
*/
SELECT
    c.report_year, c.student_key, c.program_key,
    c.is_enrolled AND c.has_traditional_gender AND (c.is_primary OR r.nontraditional_programs = 'every') AS denominator,
    c.is_nontraditional AS numerator,
    CASE
        WHEN NOT c.is_enrolled THEN 'not_enrolled'
        WHEN r.nontraditional_programs = 'primary' AND NOT c.is_primary THEN 'not_primary_program'
        WHEN NOT c.has_traditional_gender THEN 'no_traditional_gender'
    END AS exclusion
FROM secondary_concentrator AS c
JOIN rule AS r ON r.report_year = c.report_year
