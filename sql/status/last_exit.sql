/*
title = "The last exit that stands as of the report year"
grain = ["report_year", "student_key"]
authority = "specification: indicators, Exits"
[columns]
is_graduation = "A diploma that graduates by the jurisdiction's rule"
*/
WITH standing AS (
    -- The latest exit by year, date and school year: one number that orders as the three do, since dates have fewer than 2^20 days.
    SELECT a.report_year, e.student_key,
        max((CAST(e.exit_year AS BIGINT) * 1048576 + CAST(e.exit_date AS INT)) * 4096 + e.school_year) AS version
    FROM as_of AS a
    JOIN exit AS e ON e.exit_year = a.school_year
    LEFT SEMI JOIN student_activity AS c ON c.student_key = e.student_key
    LEFT JOIN enrollment_as_of AS n ON n.report_year = a.report_year AND n.student_key = e.student_key
    WHERE e.is_diploma OR n.last_secondary_year IS NULL OR n.last_secondary_year <= e.exit_year
    GROUP BY a.report_year, e.student_key
)
SELECT
    s.report_year, s.student_key, e.exit_kind, e.exit_date, e.exit_year, e.exit_quarter, e.is_diploma, e.is_removal,
    array_has(r.graduating_exit_kinds, e.exit_kind) AS is_graduation
FROM rule AS r
JOIN standing AS s ON s.report_year = r.report_year
JOIN exit AS e ON e.student_key = s.student_key AND e.school_year = s.version % 4096
