/*
title = "Students in postsecondary programs, and graduates in secondary ones, as of 1 October"
description = """
A course or program enrollment of the school year in an approved program, unless a program enrollment of the year had ended by 1 October. A graduate
(postgraduate) has a diploma that graduates, dated 1 October or before."""
grain = ["report_year", "student_key", "program_key"]
authority = "Massachusetts DESE, Reporting & Data Resources page (May 2026), Postsecondary and Postgraduate Report; specification: massachusetts, Postsecondary reports"
[columns]
is_postgraduate = "In a secondary program; else in a postsecondary one"
district_id = "District of the program's institution, also of a college that names one"
*/
WITH active AS (
    SELECT DISTINCT q.report_year, a.student_key, a.program_key
    FROM requested AS q
    JOIN program_activity AS a ON a.school_year = q.report_year
),
ended AS (
    SELECT DISTINCT school_year AS report_year, student_key, program_key
    FROM program_enrollment
    WHERE status <> 'enrolled' AND status_date <= make_date(school_year - 1, 10, 1)
),
graduate_before AS (
    SELECT DISTINCT r.report_year, x.student_key
    FROM rule AS r
    JOIN requested AS q ON q.report_year = r.report_year
    CROSS JOIN exit AS x
    WHERE array_has(r.graduating_exit_kinds, x.exit_kind) AND x.exit_date <= make_date(r.report_year - 1, 10, 1)
)
SELECT a.report_year, a.student_key, a.program_key, p.program_id, i.district_id, p.is_secondary AS is_postgraduate
FROM program_as_of AS p
JOIN institution_as_of AS i ON i.report_year = p.report_year AND i.institution_id = p.institution_id
JOIN active AS a ON a.report_year = p.report_year AND a.program_key = p.program_key
LEFT SEMI JOIN student_as_of AS s ON s.report_year = a.report_year AND s.student_key = a.student_key
LEFT ANTI JOIN ended AS e ON e.report_year = a.report_year AND e.student_key = a.student_key AND e.program_key = a.program_key
LEFT JOIN graduate_before AS x ON x.report_year = a.report_year AND x.student_key = a.student_key
WHERE p.approval = 'approved' AND (NOT p.is_secondary OR x.student_key IS NOT NULL)
