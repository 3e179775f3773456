/*
title = "Students of concentrators as of the report year: cohort, last exit, enrollment, and whether recent"
grain = ["report_year", "student_key"]
authority = "specification: indicators, Exits; The indicators: rows out of the denominator may be left out"
[columns]
cohort_year = "The latest cohort year given"
exit_kind = "Kind of the last exit that stands"
exit_year = "Its year"
exit_quarter = "Its calendar quarter, counted on"
is_removed = "The last exit takes the student out of the graduation cohort"
is_graduate = "The last exit is a diploma that graduates"
is_enrolled = "Enrolled in grade 09 to 12 or SP in the report year"
is_recent = "An enrollment, a course or program enrollment in any program, an exit or a cohort in the report year or the one before"
*/
WITH active AS (
    SELECT s.report_year, s.student_key, max(s.last_school_year) AS last_school_year
    FROM student_program_status AS s
    LEFT SEMI JOIN concentrator_student AS c ON c.student_key = s.student_key
    GROUP BY s.report_year, s.student_key
)
SELECT
    v.report_year, v.student_key, s.cohort_year, x.exit_kind, x.exit_date, x.exit_year, x.exit_quarter,
    coalesce(x.is_removal, FALSE) AS is_removed,
    coalesce(x.is_graduation, FALSE) AS is_graduate,
    coalesce(e.last_high_school_year = v.report_year, FALSE) AS is_enrolled,
    coalesce(
        v.last_school_year >= v.report_year - 1 OR e.last_enrollment_year >= v.report_year - 1 OR x.exit_year >= v.report_year - 1
            OR s.cohort_year BETWEEN v.report_year - 1 AND v.report_year,
        FALSE) AS is_recent
FROM active AS v
JOIN student_as_of AS s ON s.report_year = v.report_year AND s.student_key = v.student_key
LEFT JOIN last_exit AS x ON x.report_year = v.report_year AND x.student_key = v.student_key
LEFT JOIN enrollment_as_of AS e ON e.report_year = v.report_year AND e.student_key = v.student_key
