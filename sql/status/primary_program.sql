/*
title = "The primary program of a concentrator, one for each level"
grain = ["report_year", "student_key", "program_key"]
authority = "specification: indicators, Primary program; Oregon guide, Glossary, Primary Program"
*/
WITH candidate AS (
    SELECT
        report_year, student_key, program_key, program_order, education_level, credits, advanced_credits, course_years, last_course_year,
        last_primary_year
    FROM student_program_status
    WHERE status = 'concentrator' AND approval = 'approved'
),
student AS (
    SELECT report_year, student_key, education_level, count(*) AS programs, max(last_primary_year) AS latest_flag
    FROM candidate
    GROUP BY report_year, student_key, education_level
)
SELECT c.report_year, c.student_key, c.program_key, c.education_level
FROM student AS s
JOIN candidate AS c ON c.report_year = s.report_year AND c.student_key = s.student_key AND c.education_level = s.education_level
WHERE s.programs = 1
UNION ALL
(
    SELECT c.report_year, c.student_key, c.program_key, c.education_level
    FROM student AS s
    JOIN candidate AS c ON c.report_year = s.report_year AND c.student_key = s.student_key AND c.education_level = s.education_level
    WHERE s.programs > 1 AND (s.latest_flag IS NULL OR c.last_primary_year = s.latest_flag)
    QUALIFY row_number() OVER (
        PARTITION BY c.report_year, c.student_key, c.education_level
        ORDER BY c.credits DESC, c.advanced_credits DESC, c.course_years DESC, c.last_course_year DESC NULLS LAST, c.program_order
    ) = 1
)
