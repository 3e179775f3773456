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
WITH listed AS (
    -- Bit 0 is of all students. A group without a student has a row too.
    SELECT
        c.school_year, c.district_id, g.group_kind, g.group_code,
        coalesce(max(c.members) FILTER (WHERE c.group_bit = 0), 0) AS n,
        coalesce(max(c.members) FILTER (WHERE c.group_bit = g.group_bit), 0) AS members,
        coalesce(max(c.attending_members) FILTER (WHERE c.group_bit = 0), 0) AS attending_n,
        coalesce(max(c.attending_members) FILTER (WHERE c.group_bit = g.group_bit), 0) AS attending_members
    FROM report_group AS g
    CROSS JOIN comparison_count AS c
    WHERE g.report = 'comparison_index'
    GROUP BY c.school_year, c.district_id, g.group_kind, g.group_code
),
counted AS (
    SELECT q.report_year, l.*
    FROM requested AS q
    JOIN listed AS l ON l.school_year <= q.report_year
    WHERE l.n > 0
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
