/*
title = "Concentrators of postsecondary programs"
description = "Students with no enrollment, course, program enrollment, completion, exit or cohort in the report year or the one before are left out."
grain = ["report_year", "student_key", "program_key"]
authority = "specification: indicators, The indicators"
[columns]
is_in_program = "A course or program enrollment in this program in the report year"
*/
WITH ended AS (
    SELECT DISTINCT a.report_year, c.student_key
    FROM completion AS c
    JOIN as_of AS a ON a.school_year = c.status_year
    WHERE c.status_year >= a.report_year - 1
),
active AS (
    SELECT report_year, student_key, max(last_school_year) AS last_school_year
    FROM student_program_status
    GROUP BY report_year, student_key
)
SELECT
    c.report_year, c.student_key, c.program_key, c.approval, c.is_primary, c.has_traditional_gender, c.is_nontraditional, c.groups,
    c.last_school_year = c.report_year AS is_in_program
FROM concentrator AS c
JOIN student_as_of AS s ON s.report_year = c.report_year AND s.student_key = c.student_key
JOIN active AS v ON v.report_year = c.report_year AND v.student_key = c.student_key
LEFT JOIN last_exit AS x ON x.report_year = c.report_year AND x.student_key = c.student_key
LEFT JOIN enrollment_as_of AS e ON e.report_year = c.report_year AND e.student_key = c.student_key
LEFT JOIN ended AS d ON d.report_year = c.report_year AND d.student_key = c.student_key
WHERE c.education_level = 'postsecondary'
    AND (v.last_school_year >= c.report_year - 1 OR e.last_enrollment_year >= c.report_year - 1 OR x.exit_year >= c.report_year - 1
        OR s.cohort_year BETWEEN c.report_year - 1 AND c.report_year OR d.student_key IS NOT NULL)
