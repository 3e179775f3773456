/*
title = "Students in the sample of each CTE district and in its grade 09, by group"
description = "The groups of the report without a student have no row here."
grain = ["school_year", "district_id", "group_bit"]
authority = "specification: massachusetts, Comparison index"
[columns]
group_bit = "Number of the bit of the group"
members = "Students of the group in the sample, each once; null: none"
attending_members = "Students of the group in grade 09, each once; null: none"
*/
WITH served AS (
    SELECT DISTINCT e.school_year, v.district_id, e.grade
    FROM institution_version AS v
    JOIN enrollment AS e
        ON e.institution_id = v.institution_id AND e.school_year >= v.first_school_year AND e.school_year < v.next_school_year
    WHERE v.district_id IS NOT NULL
),
counted AS (
    SELECT c.school_year, c.district_id, c.is_resident, unnest(tally(c.student_key, CAST(1 AS BIGINT), CAST(0 AS BIGINT), c.groups)) AS figure
    FROM comparison_student AS c
    LEFT SEMI JOIN served AS s ON s.school_year = c.school_year AND s.district_id = c.district_id AND s.grade = c.grade
    GROUP BY c.school_year, c.district_id, c.is_resident
),
long AS (
    SELECT school_year, district_id, is_resident, figure['group_bit'] AS group_bit, figure['denominator'] AS students
    FROM counted
)
SELECT
    school_year, district_id, group_bit,
    max(students) FILTER (WHERE is_resident) AS members,
    max(students) FILTER (WHERE NOT is_resident) AS attending_members
FROM long
GROUP BY school_year, district_id, group_bit
