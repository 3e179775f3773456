/*
title = "Programs"
description = "Every program in which the student has a course or program enrollment as of the report year. Why one of them is in no indicator: its institution is not known, or what the topics named here say of the student's status in it."
grain = ["report_year", "student_key", "program_key"]
authority = "specification: indicators, Status of a student in a program"
order = 100
explain = { denominator = ["secondary_status", "postsecondary_status"] }
[columns]
sentence = "The program in words"
obstacle = "Why the program is left out of everything; null if it is not"
*/
WITH taken AS (
    SELECT a.report_year, p.student_key, p.program_key
    FROM program_activity AS p
    JOIN as_of AS a ON a.school_year = p.school_year
    GROUP BY a.report_year, p.student_key, p.program_key
),
latest AS (
    SELECT a.report_year, p.program_key, p.institution_id
    FROM program AS p
    JOIN as_of AS a ON a.school_year = p.school_year
    QUALIFY row_number() OVER (PARTITION BY a.report_year, p.program_key ORDER BY p.school_year DESC) = 1
)
SELECT
    t.report_year, t.student_key, t.program_key, k.program_id, g.education_level, s.status,
    CASE WHEN g.program_key IS NOT NULL THEN
        concat(g.program_name, ' (', g.cip_code, '), ', coalesce(g.institution_name, g.institution_id), ', ', g.education_level,
            CASE g.approval WHEN 'approved' THEN '' ELSE concat(', ', g.approval, ': in no indicator') END)
    END AS sentence,
    CASE
        WHEN g.program_key IS NULL
            THEN concat('institution ', l.institution_id, ' is not known as of ', t.report_year, ', so the program is left out of every figure')
        WHEN s.program_key IS NULL THEN concat('the student has no student row of ', t.report_year, ' or before')
    END AS obstacle
FROM taken AS t
JOIN key.program AS k ON k.program_key = t.program_key
LEFT JOIN latest AS l ON l.report_year = t.report_year AND l.program_key = t.program_key
LEFT JOIN program_as_of AS g ON g.report_year = t.report_year AND g.program_key = t.program_key
LEFT JOIN student_program_status AS s
    ON s.report_year = t.report_year AND s.student_key = t.student_key AND s.program_key = t.program_key
