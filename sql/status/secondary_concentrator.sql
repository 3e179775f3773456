/*
title = "Concentrators of secondary programs with what the secondary indicators ask of them"
description = "Students who are not recent (see student_standing) and have no score of the report year either are left out."
grain = ["report_year", "student_key", "program_key"]
authority = "specification: indicators, The indicators"
*/
WITH tested AS (
    SELECT DISTINCT report_year, student_key
    FROM academic_score
    WHERE score_year = report_year
)
SELECT
    c.report_year, c.student_key, c.program_key, c.approval, c.is_primary, c.has_traditional_gender, c.is_nontraditional, c.groups,
    s.cohort_year, s.exit_kind, s.exit_date, s.exit_year, s.exit_quarter, s.is_removed, s.is_graduate, s.is_enrolled
FROM concentrator AS c
JOIN student_standing AS s ON s.report_year = c.report_year AND s.student_key = c.student_key
LEFT JOIN tested AS t ON t.report_year = c.report_year AND t.student_key = c.student_key
WHERE c.education_level = 'secondary' AND (s.is_recent OR t.student_key IS NOT NULL)
