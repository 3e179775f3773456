/*
title = "Last exit that stands"
description = "Looked at for concentrators only. The other exits known as of the report year follow, as the part other."
grain = ["report_year", "student_key", "part", "place"]
authority = "specification: indicators, Exits"
order = 50
[columns]
part = "last or other"
place = "Order of the sentences"
sentence = "In words"
*/
SELECT x.report_year, x.student_key, 'last' AS part, 0 AS place,
    concat('last exit ', replace(CAST(x.exit_kind AS VARCHAR), '_', ' '), ' on ', CAST(x.exit_date AS VARCHAR), ' (exit year ', x.exit_year, ')',
        CASE WHEN x.is_graduation THEN ', a diploma that graduates'
             WHEN x.is_removal THEN ', which removes the student from the cohort'
             WHEN x.is_diploma THEN ', a diploma that the rule does not count as graduation'
             ELSE ', no diploma' END) AS sentence
FROM last_exit AS x
UNION ALL
SELECT a.report_year, e.student_key, 'other' AS part, e.school_year AS place,
    concat(CASE WHEN c.student_key IS NULL THEN 'recorded, but looked at for concentrators only: ' ELSE 'recorded, but does not stand or is not the last: ' END,
        replace(CAST(e.exit_kind AS VARCHAR), '_', ' '), ' on ', CAST(e.exit_date AS VARCHAR), ' (exit year ', e.exit_year, ')') AS sentence
FROM exit AS e
JOIN as_of AS a ON a.school_year = e.exit_year
LEFT JOIN concentrator_student AS c ON c.student_key = e.student_key
LEFT ANTI JOIN last_exit AS x
    ON x.report_year = a.report_year AND x.student_key = e.student_key AND x.exit_date = e.exit_date AND x.exit_kind = e.exit_kind
        AND x.exit_year = e.exit_year
