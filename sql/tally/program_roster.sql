/*
title = "What each program hands to the entities that it belongs to: its candidates, counted or to be told apart"
description = "See the aggregate roster."
grain = ["report_year", "program_key"]
authority = "specification: indicators, A student counts at most once in an entity's figure"
kept = true
[columns]
by_group = "Indicators by the student's groups; of years without figures by group, only of all students"
by_cluster = "Indicators of all students: for figures by career cluster"
by_breakdown = "Breakdown measures of all students"
*/
SELECT
    c.report_year, c.program_key, c.education_level,
    roster(c.student_key, c.denominators, c.numerators, CASE WHEN y.has_groups THEN c.groups ELSE CAST(1 AS BIGINT) END, c.is_only) AS by_group,
    roster(c.student_key, c.denominators, c.numerators, CAST(1 AS BIGINT), c.is_only) AS by_cluster,
    roster(c.student_key, c.breakdown_denominators, c.breakdown_numerators, CAST(1 AS BIGINT), c.is_only) AS by_breakdown
FROM report_year AS y
JOIN candidate AS c ON c.report_year = y.report_year
GROUP BY c.report_year, c.program_key, c.education_level
