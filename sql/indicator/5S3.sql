/*
title = "Program Quality: Participated in Work-Based Learning"
education_level = "secondary"
grain = ["report_year", "student_key", "program_key"]
authority = "Perkins V section 113(b)(2)(A)(iv)(I)(cc); Oregon guide, 5S3 and Appendix C; specification: indicators, rule work-based learning"
denominator_text = "Concentrators who graduated in the report year"
numerator_text = "Of these, with work-based learning in this program"
explain = { denominator = ["exit:last"], numerator = ["work_based_learning"] }
*/
WITH learned AS (
    SELECT a.report_year, w.student_key, w.program_key, coalesce(sum(w.hours), CAST(0 AS DECIMAL(9, 2))) AS hours
    FROM work_based_learning AS w
    JOIN as_of AS a ON a.school_year = w.school_year
    WHERE w.started_on IS NULL OR w.started_on <= make_date(a.report_year, 6, 30)
    GROUP BY a.report_year, w.student_key, w.program_key
)
SELECT
    c.report_year, c.student_key, c.program_key,
    c.denominator,
    coalesce(w.hours >= r.work_based_learning_hours, FALSE) AS numerator,
    c.exclusion
FROM graduate_candidate AS c
JOIN rule AS r ON r.report_year = c.report_year
LEFT JOIN learned AS w ON w.report_year = c.report_year AND w.student_key = c.student_key AND w.program_key = c.program_key
