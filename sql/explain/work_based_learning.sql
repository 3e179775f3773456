/*
title = "Work-based learning"
grain = ["report_year", "student_key", "program_key", "place", "sentence"]
authority = "specification: indicators, 5S3; Oregon guide, Appendix C"
order = 170
[columns]
place = "Order of the sentences"
sentence = "In words"
*/
SELECT a.report_year, w.student_key, w.program_key, w.school_year AS place,
    concat(replace(CAST(w.work_based_learning_kind AS VARCHAR), '_', ' '), ' in ', w.school_year,
        CASE WHEN w.started_on IS NULL THEN '' ELSE concat(', started on ', CAST(w.started_on AS VARCHAR)) END,
        CASE WHEN w.hours IS NULL THEN '' ELSE concat(', ', CAST(w.hours AS VARCHAR), ' hours') END) AS sentence
FROM work_based_learning AS w
JOIN as_of AS a ON a.school_year = w.school_year
