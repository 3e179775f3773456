/*
title = "School enrollment"
grain = ["report_year", "student_key"]
authority = "specification: indicators, Exits; 4S1"
order = 40
[columns]
sentence = "In words"
*/
SELECT a.report_year, e.student_key,
    concat('enrolled in ', string_agg(concat(CAST(e.school_year AS VARCHAR), ' (grade ', e.grade, ')'), ', ' ORDER BY e.school_year, e.grade)) AS sentence
FROM (SELECT DISTINCT school_year, student_key, grade FROM enrollment) AS e
JOIN as_of AS a ON a.school_year = e.school_year
GROUP BY a.report_year, e.student_key
