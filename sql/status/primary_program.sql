/*
title = "The primary program of a concentrator, one for each level"
grain = ["report_year", "student_key", "program_key"]
authority = "specification: indicators, Primary program; Oregon guide, Glossary, Primary Program"
*/
WITH candidate AS (
    SELECT report_year, student_key, program_key, program_order, education_level, credits, advanced_credits, last_primary_year
    FROM student_program_status
    WHERE status = 'concentrator' AND approval = 'approved'
),
student AS (
    SELECT report_year, student_key, education_level, count(*) AS programs, max(last_primary_year) AS latest_flag
    FROM candidate
    GROUP BY report_year, student_key, education_level
),
-- Those flagged in the latest year with a flag; if there never was one, all.
rival AS (
    SELECT c.report_year, c.student_key, c.program_key, c.program_order, c.education_level, c.credits, c.advanced_credits
    FROM student AS s
    JOIN candidate AS c ON c.report_year = s.report_year AND c.student_key = s.student_key AND c.education_level = s.education_level
    WHERE s.programs > 1 AND (s.latest_flag IS NULL OR c.last_primary_year = s.latest_flag)
),
taken AS (
    SELECT r.report_year, r.student_key, r.program_key, count(DISTINCT c.school_year) AS course_years, max(c.school_year) AS last_course_year
    FROM rival AS r
    JOIN cte_course AS c ON c.student_key = r.student_key AND c.program_key = r.program_key AND c.school_year <= r.report_year
    GROUP BY r.report_year, r.student_key, r.program_key
)
SELECT c.report_year, c.student_key, c.program_key, c.education_level
FROM student AS s
JOIN candidate AS c ON c.report_year = s.report_year AND c.student_key = s.student_key AND c.education_level = s.education_level
WHERE s.programs = 1
UNION ALL
(
    SELECT r.report_year, r.student_key, r.program_key, r.education_level
    FROM rival AS r
    LEFT JOIN taken AS t ON t.report_year = r.report_year AND t.student_key = r.student_key AND t.program_key = r.program_key
    QUALIFY row_number() OVER (
        PARTITION BY r.report_year, r.student_key, r.education_level
        ORDER BY r.credits DESC, r.advanced_credits DESC, coalesce(t.course_years, 0) DESC, t.last_course_year DESC NULLS LAST, r.program_order
    ) = 1
)
