/*
title = "Pell recipients who are postsecondary CTE students of the institution"
description = """
A course or program enrollment of the report year in an approved postsecondary program of the institution at which the grant was received. A startup
program, or another institution's, is as if not named."""
grain = ["report_year", "student_key"]
authority = "Massachusetts DESE, Reporting & Data Resources page (May 2026), Pell Report; specification: massachusetts, Postsecondary reports"
[columns]
groups = "Bit mask of the student's groups, without migrant, which is none of postsecondary figures"
program_id = "The program of the student, where known"
*/
WITH taught AS (
    SELECT DISTINCT s.report_year, s.student_key, p.institution_id
    FROM requested AS q
    JOIN program_as_of AS p ON p.report_year = q.report_year
    JOIN student_program_status AS s ON s.report_year = p.report_year AND s.program_key = p.program_key
    WHERE NOT p.is_secondary AND p.approval = 'approved' AND s.last_school_year = s.report_year
)
SELECT
    t.report_year, g.student_key, g.institution_id, p.program_id, g.award_amount,
    s.secondary_version & (70368744177663 - m.migrant) AS groups
FROM group_mask AS m
CROSS JOIN pell AS g
JOIN taught AS t ON t.report_year = g.school_year AND t.student_key = g.student_key AND t.institution_id = g.institution_id
JOIN student_as_of AS s ON s.report_year = t.report_year AND s.student_key = t.student_key
LEFT JOIN program_as_of AS p
    ON p.report_year = t.report_year AND p.program_key = g.program_key AND p.institution_id = g.institution_id AND p.approval = 'approved'
