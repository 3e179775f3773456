/*
title = "Student rows"
grain = ["report_year", "student_key"]
authority = "specification: indicators, Who counts where: a student with no row as of the report year is left out"
order = 10
[columns]
sentence = "In words"
*/
WITH given AS (
    SELECT a.report_year, s.student_key,
        string_agg(concat(CAST(s.school_year AS VARCHAR), ' ', s.education_level), ', ' ORDER BY s.school_year, s.level_rank DESC) AS years
    FROM student AS s
    JOIN as_of AS a ON a.school_year = s.school_year
    GROUP BY a.report_year, s.student_key
)
SELECT q.report_year, k.student_key,
    coalesce(g.years, concat('none of ', q.report_year, ' or before, so the student is left out as of ', q.report_year)) AS sentence
FROM requested AS q
CROSS JOIN key.student AS k
LEFT JOIN given AS g ON g.report_year = q.report_year AND g.student_key = k.student_key
