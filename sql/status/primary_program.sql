/*
title = "The primary program of a concentrator, one for each level"
grain = ["report_year", "student_key", "program_key"]
authority = "specification: indicators, Primary program; Oregon guide, Glossary, Primary Program"
*/
WITH flagged AS (
    SELECT
        report_year, student_key, program_key, program_order, education_level, credits, advanced_credits, course_years, last_course_year,
        last_primary_year,
        max(last_primary_year) OVER (PARTITION BY report_year, student_key, education_level) AS latest_flag
    FROM student_program_status
    WHERE status = 'concentrator' AND approval = 'approved'
)
SELECT report_year, student_key, program_key, education_level
FROM flagged
WHERE latest_flag IS NULL OR last_primary_year = latest_flag
QUALIFY row_number() OVER (
    PARTITION BY report_year, student_key, education_level
    ORDER BY credits DESC, advanced_credits DESC, course_years DESC, last_course_year DESC NULLS LAST, program_order
) = 1
