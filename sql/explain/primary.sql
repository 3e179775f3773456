/*
title = "Primary program"
grain = ["report_year", "student_key", "program_key"]
authority = "specification: indicators, Primary program; Oregon guide, Glossary, Primary Program"
order = 120
[columns]
sentence = "In words, with what decides"
*/
WITH asked AS (
    SELECT report_year, student_key, program_key, education_level, credits, advanced_credits, last_primary_year,
        count(*) OVER (PARTITION BY report_year, student_key, education_level) AS programs,
        max(last_primary_year) OVER (PARTITION BY report_year, student_key, education_level) AS latest_flag
    FROM student_program_status
    WHERE status = 'concentrator' AND approval = 'approved'
),
taken AS (
    SELECT s.report_year, s.student_key, s.program_key, count(DISTINCT c.school_year) AS course_years, max(c.school_year) AS last_course_year
    FROM asked AS s
    JOIN cte_course AS c ON c.student_key = s.student_key AND c.program_key = s.program_key AND c.school_year <= s.report_year
    GROUP BY s.report_year, s.student_key, s.program_key
)
SELECT s.report_year, s.student_key, s.program_key,
    concat(
        CASE
            WHEN p.program_key IS NULL THEN 'not the primary program: '
            WHEN s.programs = 1 THEN concat('the primary program: the only approved ', s.education_level, ' one in which the student is a concentrator; ')
            ELSE 'the primary program: '
        END,
        CASE
            WHEN s.latest_flag IS NULL THEN 'no program of concentration was ever flagged as primary; '
            WHEN s.last_primary_year IS NULL THEN concat('never flagged as primary (another last was in ', s.latest_flag, '); ')
            WHEN s.last_primary_year < s.latest_flag THEN concat('last flagged as primary in ', s.last_primary_year, ', another in ', s.latest_flag, '; ')
            ELSE concat('flagged as primary in ', s.last_primary_year, ', the latest year with a flag; ')
        END,
        CASE WHEN s.programs = 1 THEN '' ELSE 'among those left, the greatest of credits, then advanced credits, then years decide: here ' END, CAST(CAST(s.credits AS DECIMAL(9, 2)) AS VARCHAR), ' credits, ', CAST(CAST(s.advanced_credits AS DECIMAL(9, 2)) AS VARCHAR), ' of them intermediate or advanced, ', coalesce(t.course_years, 0),
        ' year(s) with a course', CASE WHEN t.last_course_year IS NULL THEN '' ELSE concat(', the latest ', t.last_course_year) END
    ) AS sentence
FROM asked AS s
LEFT JOIN taken AS t ON t.report_year = s.report_year AND t.student_key = s.student_key AND t.program_key = s.program_key
LEFT JOIN primary_program AS p ON p.report_year = s.report_year AND p.student_key = s.student_key AND p.program_key = s.program_key
