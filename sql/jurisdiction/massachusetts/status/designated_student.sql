/*
title = "Students in state-designated CTE programs, with their grade"
description = """
A course or program enrollment of the report year in an approved program of a school. A student has one grade: the highest of the enrollments of the year
at schools of these programs, else at any, else, without any enrollment in the year, of the courses; a student in none of grades 09 to 12 and SP is left out."""
grain = ["report_year", "student_key", "program_key"]
authority = "Massachusetts DESE, Reporting & Data Resources page (May 2026), CCTE Pathways and Programs Enrollment; specification: massachusetts, Enrollment report"
[columns]
grade = "09 to 12 or SP, the same in every program of the student"
groups = "Bit mask of the student's groups, high needs (bit 47) among them"
*/
WITH here AS (
    SELECT school_year, student_key, institution_id, max(CAST(grade AS VARCHAR)) AS grade
    FROM enrollment
    WHERE is_high_school_enrollment
    GROUP BY school_year, student_key, institution_id
),
anywhere AS (
    SELECT school_year, student_key, max(CAST(grade AS VARCHAR)) FILTER (WHERE is_high_school_enrollment) AS grade
    FROM enrollment
    GROUP BY school_year, student_key
),
course AS (
    SELECT school_year, student_key, max(CAST(grade AS VARCHAR)) AS grade
    FROM cte_course
    WHERE is_high_school_grade
    GROUP BY school_year, student_key
),
graded AS (
    SELECT
        s.report_year, s.student_key, s.program_key, p.institution_id, p.district_id, s.groups,
        coalesce(
            max(h.grade) OVER (PARTITION BY s.report_year, s.student_key), a.grade, CASE WHEN a.student_key IS NULL THEN c.grade END
        ) AS grade
    FROM requested AS q
    JOIN program_as_of AS p ON p.report_year = q.report_year
    JOIN student_program_status AS s ON s.report_year = p.report_year AND s.program_key = p.program_key
    LEFT JOIN here AS h ON h.school_year = s.report_year AND h.student_key = s.student_key AND h.institution_id = p.institution_id
    LEFT JOIN anywhere AS a ON a.school_year = s.report_year AND a.student_key = s.student_key
    LEFT JOIN course AS c ON c.school_year = s.report_year AND c.student_key = s.student_key
    WHERE p.is_secondary AND p.approval = 'approved' AND s.last_school_year = s.report_year
)
SELECT g.report_year, g.student_key, g.program_key, g.institution_id, g.district_id, g.grade,
    g.groups | CASE WHEN (g.groups & m.high_needs) <> 0 THEN 140737488355328 ELSE 0 END AS groups
FROM report_mask AS m
CROSS JOIN graded AS g
WHERE g.grade IS NOT NULL
