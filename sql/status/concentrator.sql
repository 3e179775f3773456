/*
title = "Concentrators as of the report year: the candidates of every indicator"
grain = ["report_year", "student_key", "program_key"]
authority = "specification: indicators, The indicators; Who counts where (nontraditional)"
[columns]
groups = "Bit mask of the student's groups at the program's level"
is_primary = "The student's primary program of the level"
*/
WITH marked AS (
    SELECT c.report_year, c.student_key, c.program_key, c.education_level, c.approval, c.has_traditional_gender, c.is_nontraditional, c.groups,
        c.last_school_year, p.program_key IS NOT NULL AS is_primary,
        CASE r.nontraditional_group
            WHEN 'primary_program' THEN c.is_nontraditional AND p.program_key IS NOT NULL
            ELSE c.is_nontraditional AND c.approval = 'approved'
        END AS makes_nontraditional
    FROM rule AS r
    JOIN student_program_status AS c ON c.report_year = r.report_year
    LEFT JOIN primary_program AS p ON p.report_year = c.report_year AND p.student_key = c.student_key AND p.program_key = c.program_key
    WHERE c.status = 'concentrator'
),
nontraditional AS (
    SELECT DISTINCT report_year, student_key, education_level
    FROM marked
    WHERE makes_nontraditional
)
SELECT
    c.report_year, c.student_key, c.program_key, c.education_level, c.approval, c.is_primary, c.has_traditional_gender, c.is_nontraditional,
    c.last_school_year,
    CASE WHEN n.student_key IS NULL THEN c.groups ELSE c.groups | m.nontraditional END AS groups
FROM group_mask AS m
CROSS JOIN marked AS c
LEFT JOIN nontraditional AS n
    ON n.report_year = c.report_year AND n.student_key = c.student_key AND n.education_level = c.education_level
