/*
title = "Groups"
grain = ["report_year", "student_key", "education_level"]
authority = "specification: indicators, Who counts where: the latest student row of the level, else the latest of any"
order = 20
[columns]
sentence = "In words, with the row that they come from"
*/
WITH used AS (
    SELECT DISTINCT report_year, student_key, education_level, student_version
    FROM student_program_status
),
counted AS (
    SELECT DISTINCT report_year, student_key, education_level, groups
    FROM concentrator
)
SELECT
    u.report_year, u.student_key, u.education_level,
    concat('in ', u.education_level, ' figures, by the ',
        CASE u.student_version / 70368744177664 % 4 WHEN 2 THEN 'secondary' WHEN 1 THEN 'middle' ELSE 'postsecondary' END,
        ' row of ', u.student_version / 70368744177664 / 4, ': ',
        string_agg(coalesce(t.title, g.group_code), ', ' ORDER BY g.group_bit)) AS sentence
FROM used AS u
LEFT JOIN counted AS c ON c.report_year = u.report_year AND c.student_key = u.student_key AND c.education_level = u.education_level
JOIN student_group AS g ON (coalesce(c.groups, u.student_version & 70368744177663) & g.mask) <> 0 AND g.group_kind <> 'all'
LEFT JOIN reference.group_title AS t ON t.group_kind = g.group_kind AND t.group_code = g.group_code
GROUP BY u.report_year, u.student_key, u.education_level, u.student_version
