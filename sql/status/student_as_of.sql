/*
title = "Groups and cohort of each student as of the report year, for secondary and for postsecondary figures"
description = """
A row's version has the school year first, then the level, then the groups (46 bits), so the greatest version is the latest row and carries its groups."""
grain = ["report_year", "student_key"]
authority = "specification: indicators, Who counts where: the latest student row of the indicator's own level, else the latest of any"
[columns]
secondary_version = "Version of the row that secondary figures use"
postsecondary_version = "Version of the row that postsecondary figures use"
cohort_year = "The latest cohort year given"
*/
WITH versioned AS (
    SELECT g.student_key, g.school_year, g.education_level, g.cohort_year,
        (g.school_year * 4 + g.level_rank) * 70368744177664 + g.groups AS version,
        (g.school_year * 4 + g.level_rank) * 4096 + g.cohort_year AS cohort_version
    FROM student_group_mask AS g
)
SELECT
    a.report_year, v.student_key,
    coalesce(max(v.version) FILTER (WHERE v.education_level <> 'postsecondary'), max(v.version)) AS secondary_version,
    coalesce(max(v.version) FILTER (WHERE v.education_level = 'postsecondary'), max(v.version)) AS postsecondary_version,
    CAST(max(v.cohort_version) % 4096 AS INT) AS cohort_year
FROM versioned AS v
JOIN as_of AS a ON a.school_year = v.school_year
GROUP BY a.report_year, v.student_key
