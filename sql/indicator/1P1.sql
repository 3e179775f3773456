/*
title = "Postsecondary Placement"
education_level = "postsecondary"
grain = ["report_year", "student_key", "program_key"]
authority = "Perkins V section 113(b)(2)(B)(i); Oregon guide, 1P1; specification: indicators, rule 1P1 population"
denominator_text = "Concentrators who completed the program, in the year or with the second quarter after it in the year that the rule names"
numerator_text = "Of these, with any placement in the second quarter after the completion"
explain = { denominator = ["completion"], numerator = ["postsecondary_placement"] }
[breakdown]
group_kind = "placement"
codes = "placement_group"
view = "postsecondary_placement"
*/
SELECT
    c.report_year, c.student_key, c.program_key,
    d.student_key IS NOT NULL AS denominator,
    p.student_key IS NOT NULL AS numerator,
    CASE WHEN d.student_key IS NULL THEN 'not_completed' END AS exclusion
FROM postsecondary_concentrator AS c
LEFT JOIN (SELECT DISTINCT report_year, student_key, program_key FROM postsecondary_completer) AS d
    ON d.report_year = c.report_year AND d.student_key = c.student_key AND d.program_key = c.program_key
LEFT JOIN (SELECT DISTINCT report_year, student_key, program_key FROM postsecondary_placement) AS p
    ON p.report_year = c.report_year AND p.student_key = c.student_key AND p.program_key = c.program_key
