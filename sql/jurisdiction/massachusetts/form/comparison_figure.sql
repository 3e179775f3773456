/*
title = "Comparison index of each CTE district, school year and group, as the rules of a report year say"
description = """
Of the report year and all school years before it. The one place of the Wilson score interval: its lower limit, one-sided 99 percent, without
continuity correction."""
grain = ["report_year", "school_year", "district_id", "group_kind", "group_code"]
authority = "Massachusetts DESE, Program Quality page (May 2026), Comparison Index Description; specification: massachusetts, Comparison index"
[columns]
n = "Students in the sample"
members = "Of these, in the group"
p = "members by n, from 0 to 1"
index = "Comparison index in percent"
attending_n = "Students of the district in grade 09"
attending_members = "Of these, in the group"
attending = "100 times attending_members by attending_n"
difference = "attending less index, percentage points; null without a student in grade 09"
*/
WITH sample AS (
    SELECT school_year, district_id, students AS n FROM comparison_count WHERE is_resident AND group_bit = 0
),
counted AS (
    SELECT
        q.report_year, s.school_year, s.district_id, g.group_kind, g.group_code, s.n, coalesce(m.students, 0) AS members,
        coalesce(a.students, 0) AS attending_n, coalesce(am.students, 0) AS attending_members
    FROM requested AS q
    JOIN sample AS s ON s.school_year <= q.report_year
    JOIN report_group AS g ON g.report = 'comparison_index'
    LEFT JOIN comparison_count AS m
        ON m.school_year = s.school_year AND m.district_id = s.district_id AND m.is_resident AND m.group_bit = g.group_bit
    LEFT JOIN comparison_count AS a
        ON a.school_year = s.school_year AND a.district_id = s.district_id AND NOT a.is_resident AND a.group_bit = 0
    LEFT JOIN comparison_count AS am
        ON am.school_year = s.school_year AND am.district_id = s.district_id AND NOT am.is_resident AND am.group_bit = g.group_bit
),
sized AS (
    SELECT c.*,
        CAST(c.members AS DOUBLE) / CAST(c.n AS DOUBLE) AS p,
        CAST(100 * c.attending_members AS DOUBLE) / CAST(nullif(c.attending_n, 0) AS DOUBLE) AS attending,
        CAST(nullif(CASE r.comparison_index_n WHEN 'attending' THEN c.attending_n ELSE c.n END, 0) AS DOUBLE) AS size,
        2.3263478740408408 AS z
    FROM rule AS r
    JOIN counted AS c ON c.report_year = r.report_year
),
indexed AS (
    SELECT *,
        -- Without a member the limit is 0 by the formula too; the rounding of floats would leave a trace.
        CASE members
            WHEN 0 THEN 0.0
            ELSE 100.0 * (p + z * z / (2.0 * size) - z * sqrt(p * (1.0 - p) / size + z * z / (4.0 * size * size))) / (1.0 + z * z / size)
        END AS index
    FROM sized
)
SELECT
    report_year, school_year, district_id, group_kind, group_code, n, members, p, index, attending_n, attending_members, attending,
    attending - index AS difference
FROM indexed
