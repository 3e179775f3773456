/*
title = "Students of genders and races that have no line on a form, by column"
grain = ["report_year", "form", "column_name", "group_kind"]
authority = "specification: federal-report, Data checks: gender lines sum to at most the grand total and the rest is accounted for"
*/
WITH counted AS (
    SELECT e.report_year, f.form, f.column_name, e.group_kind, e.group_code, e.students
    FROM car_count AS f
    JOIN car_enrollment AS e
        ON e.report_year = f.report_year AND e.education_level = f.education_level AND e.status = f.status
        AND e.career_cluster = coalesce(f.career_cluster, 'all')
    WHERE f.group_kind = 'all' AND f.indicator IS NULL
    UNION ALL
    SELECT p.report_year, f.form, f.column_name, p.group_kind, p.group_code, CASE f.kind WHEN 'numerator' THEN p.numerator ELSE p.denominator END AS students
    FROM car_count AS f
    JOIN car_performance AS p ON p.report_year = f.report_year AND p.indicator = f.indicator
    WHERE f.group_kind = 'all' AND f.indicator IS NOT NULL
)
SELECT c.report_year, c.form, c.column_name, c.group_kind, sum(c.students) AS students
FROM counted AS c
LEFT ANTI JOIN car_count AS l
    ON l.report_year = c.report_year AND l.form = c.form AND l.group_kind = c.group_kind AND l.group_code = c.group_code
WHERE c.group_kind IN ('gender', 'race_ethnicity')
GROUP BY c.report_year, c.form, c.column_name, c.group_kind
