/*
title = "The last exit that stands as of the report year"
grain = ["report_year", "student_key"]
authority = "specification: indicators, Exits"
[columns]
is_graduation = "A diploma that graduates by the jurisdiction's rule"
*/
WITH standing AS (
    SELECT a.report_year, e.student_key, e.school_year, e.exit_kind, e.exit_date, e.exit_year, e.exit_quarter, e.is_diploma, e.is_removal
    FROM exit AS e
    LEFT SEMI JOIN program_activity AS c ON c.student_key = e.student_key
    JOIN as_of AS a ON a.school_year = e.exit_year
    LEFT JOIN enrollment_as_of AS n ON n.report_year = a.report_year AND n.student_key = e.student_key
    WHERE e.is_diploma OR n.last_secondary_year IS NULL OR n.last_secondary_year <= e.exit_year
    QUALIFY row_number() OVER (PARTITION BY a.report_year, e.student_key ORDER BY e.exit_year DESC, e.exit_date DESC, e.school_year DESC) = 1
)
SELECT
    s.report_year, s.student_key, s.exit_kind, s.exit_date, s.exit_year, s.exit_quarter, s.is_diploma, s.is_removal,
    array_has(r.graduating_exit_kinds, s.exit_kind) AS is_graduation
FROM standing AS s
JOIN rule AS r ON r.report_year = s.report_year
