/*
title = "Program Quality: Recognized Credential and Work-Based Learning"
education_level = "secondary"
grain = ["report_year", "student_key", "program_key"]
authority = "Perkins V section 113(b)(2)(A)(iv)(II); Federal CAR guide (January 2025), Table 2, page 36, 5S4: any other measure that is statewide, valid, reliable and comparable"
denominator_text = "Concentrators who graduated in the report year"
numerator_text = "Of these, who earned a recognized credential by 31 August and had work-based learning in this program"
explain = { denominator = ["exit:last"], numerator = ["credential", "work_based_learning"] }
*/
WITH earned AS (
    -- As in 5S1.
    SELECT DISTINCT c.report_year, c.student_key, c.program_key
    FROM secondary_concentrator AS c
    JOIN rule AS r ON r.report_year = c.report_year
    JOIN credential AS e ON e.student_key = c.student_key
    WHERE e.recognized AND e.earned_on <= make_date(c.report_year, 8, 31)
        AND (r.credential_programs = 'any' OR e.program_key IS NULL OR e.program_key = c.program_key)
),
learned AS (
    -- As in 5S3.
    SELECT a.report_year, w.student_key, w.program_key, coalesce(sum(w.hours), CAST(0 AS DECIMAL(9, 2))) AS hours
    FROM work_based_learning AS w
    JOIN as_of AS a ON a.school_year = w.school_year
    WHERE w.started_on IS NULL OR w.started_on <= make_date(a.report_year, 6, 30)
    GROUP BY a.report_year, w.student_key, w.program_key
)
SELECT
    c.report_year, c.student_key, c.program_key,
    c.is_graduate AND (c.exit_year IS NOT DISTINCT FROM c.report_year) AS denominator,
    e.student_key IS NOT NULL AND coalesce(w.hours >= r.work_based_learning_hours, FALSE) AS numerator,
    CASE
        WHEN (c.exit_year IS DISTINCT FROM c.report_year) THEN 'not_exited'
        WHEN NOT c.is_graduate THEN 'not_graduated'
    END AS exclusion
FROM secondary_concentrator AS c
JOIN rule AS r ON r.report_year = c.report_year
LEFT JOIN earned AS e ON e.report_year = c.report_year AND e.student_key = c.student_key AND e.program_key = c.program_key
LEFT JOIN learned AS w ON w.report_year = c.report_year AND w.student_key = c.student_key AND w.program_key = c.program_key
