/*
title = "Groups of figures, numbered in the order of kind and code"
description = "Tables sort by this number instead of by text."
grain = ["group_kind", "group_code"]
authority = "specification: outputs, performance: sorted by its key"
[columns]
group_order = "Rank by kind and code"
group_bit = "Number of the student group; null for other kinds"
*/
WITH listed AS (
    SELECT group_kind, group_code, group_bit FROM student_group
    UNION ALL
    SELECT DISTINCT group_kind, group_code, CAST(NULL AS INT) FROM measure WHERE group_kind IS NOT NULL
    UNION ALL
    SELECT DISTINCT 'career_cluster', career_cluster, CAST(NULL AS INT) FROM program_cluster
)
SELECT group_kind, group_code, group_bit, row_number() OVER (ORDER BY group_kind, group_code) AS group_order
FROM listed
