/*
title = "Students in the sample of each CTE district and in its grade 09, by group"
description = "The groups of the report without a student have no row here."
grain = ["school_year", "district_id", "is_resident", "group_bit"]
authority = "specification: massachusetts, Comparison index"
[columns]
is_resident = "The sample; else the attending grade 09"
group_bit = "Number of the bit of the group"
students = "Students, each once"
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
)
SELECT school_year, district_id, is_resident, figure['group_bit'] AS group_bit, figure['denominator'] AS students
FROM counted
