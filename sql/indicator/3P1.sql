/*
title = "Nontraditional Program Concentration"
education_level = "postsecondary"
grain = ["report_year", "student_key", "program_key"]
authority = "Perkins V section 113(b)(2)(B)(iii); Oregon guide, 3P1; specification: indicators, rule programs in 3P1"
denominator_text = "Concentrators with a course or program enrollment in this program in the report year, in a program with a traditional gender, chosen by the rule"
numerator_text = "Of these, nontraditional in the program (women or men)"
explain = { denominator = ["activity", "primary", "nontraditional"], numerator = ["nontraditional"] }
*/
SELECT
    c.report_year, c.student_key, c.program_key,
    c.is_in_program AND c.has_traditional_gender AND (c.is_primary OR r.nontraditional_programs = 'every') AS denominator,
    c.is_nontraditional AS numerator,
    CASE
        WHEN NOT c.is_in_program THEN 'not_enrolled'
        WHEN r.nontraditional_programs = 'primary' AND NOT c.is_primary THEN 'not_primary_program'
        WHEN NOT c.has_traditional_gender THEN 'no_traditional_gender'
    END AS exclusion
FROM postsecondary_concentrator AS c
JOIN rule AS r ON r.report_year = c.report_year
