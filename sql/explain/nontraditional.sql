/*
title = "Nontraditional"
grain = ["report_year", "student_key", "program_key"]
authority = "specification: indicators, Traditional gender; Perkins V section 3(33)"
order = 150
[columns]
sentence = "In words"
*/
SELECT s.report_year, s.student_key, s.program_key,
    CASE
        WHEN NOT s.has_traditional_gender THEN concat('the field ', g.cip_code, ' has no traditional gender')
        ELSE concat('the field ', g.cip_code, ' is nontraditional for ',
            CASE WHEN g.nontraditional_for_f AND g.nontraditional_for_m THEN 'women and men' WHEN g.nontraditional_for_f THEN 'women' ELSE 'men' END,
            CASE WHEN s.is_nontraditional THEN ', and so for this student' ELSE ', but not for this student' END)
    END AS sentence
FROM student_program_status AS s
JOIN program_as_of AS g ON g.report_year = s.report_year AND g.program_key = s.program_key
