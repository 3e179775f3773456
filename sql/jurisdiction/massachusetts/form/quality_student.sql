/*
title = "Students in the measures of program quality that no reported indicator gives"
description = """
Of students with a student row as of the year. Credentials: 5S1, which need not be reported. Dropping out: students in grade 09 to 12 or SP of a school with an approved program; dropped out if that
is the last exit of the year and names this school or none. Retention: students with a course in a program in the year before, in grade 09 to 11; retained with one
in the same program in the year."""
grain = ["report_year", "student_key", "institution_id", "measure"]
authority = "Massachusetts DESE, Program Quality page (May 2026), CCTE Quality Support System; specification: massachusetts, Program quality"
[columns]
met = "In the numerator"
*/
WITH offered AS (
    SELECT p.report_year, p.program_key, p.institution_id
    FROM requested AS q
    JOIN program_as_of AS p ON p.report_year = q.report_year
    WHERE p.is_secondary AND p.approval = 'approved'
),
school AS (
    SELECT DISTINCT report_year, institution_id FROM offered
),
last_exit_of_year AS (
    SELECT exit_year, student_key, institution_id, exit_kind
    FROM exit
    QUALIFY row_number() OVER (PARTITION BY student_key, exit_year ORDER BY exit_date DESC, school_year DESC) = 1
),
taken AS (
    SELECT DISTINCT school_year, student_key, program_key, grade IN ('09', '10', '11') AS is_before_last_grade FROM cte_course
),
counted AS (
    SELECT o.report_year, c.student_key, o.institution_id, 'industry_recognized_credential' AS measure, c.numerator AS met
    FROM offered AS o
    JOIN indicator_5s1 AS c ON c.report_year = o.report_year AND c.program_key = o.program_key
    WHERE c.denominator
    UNION ALL
    SELECT s.report_year, e.student_key, s.institution_id, 'dropout_rate' AS measure, x.student_key IS NOT NULL AS met
    FROM school AS s
    JOIN enrollment AS e ON e.school_year = s.report_year AND e.institution_id = s.institution_id
    LEFT JOIN last_exit_of_year AS x
        ON x.exit_year = e.school_year AND x.student_key = e.student_key AND x.exit_kind = 'dropped_out'
        AND (x.institution_id IS NULL OR x.institution_id = e.institution_id)
    WHERE e.is_high_school_enrollment
    UNION ALL
    SELECT o.report_year, b.student_key, o.institution_id, 'program_retention' AS measure, n.student_key IS NOT NULL AS met
    FROM offered AS o
    JOIN taken AS b ON b.school_year = o.report_year - 1 AND b.program_key = o.program_key
    LEFT JOIN taken AS n ON n.school_year = o.report_year AND n.program_key = b.program_key AND n.student_key = b.student_key
    WHERE b.is_before_last_grade
)
SELECT c.report_year, c.student_key, c.institution_id, c.measure, bool_or(c.met) AS met
FROM counted AS c
LEFT SEMI JOIN student_as_of AS s ON s.report_year = c.report_year AND s.student_key = c.student_key
GROUP BY c.report_year, c.student_key, c.institution_id, c.measure
