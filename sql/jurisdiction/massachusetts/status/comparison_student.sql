/*
title = "Residents of member towns and attending students in grade 09, with their groups in that school year"
description = """
A row's version has the school year first, then the level, then the groups (46 bits), as in student_as_of; here as of every school year, not only of
those that the run asks for. A student with no row by then is left out."""
grain = ["school_year", "student_key", "district_id", "is_resident"]
authority = "specification: massachusetts, Comparison index; indicators, Who counts where: the Massachusetts tables use the row of the secondary level"
[columns]
district_id = "The CTE district that the town belongs to, or whose school the student attends"
grade = "Grade as a resident, or 09"
is_resident = "In the sample if the district serves the grade; else attending"
groups = "Bit mask of the student's groups, students of color (bit 46) among them"
*/
WITH counted AS (
    SELECT school_year, student_key, member_district_id AS district_id, grade, TRUE AS is_resident
    FROM resident
    WHERE NOT out_of_district_placement
    UNION ALL
    SELECT DISTINCT e.school_year, e.student_key, v.district_id, e.grade, FALSE AS is_resident
    FROM institution_version AS v
    JOIN enrollment AS e
        ON e.institution_id = v.institution_id AND e.school_year >= v.first_school_year AND e.school_year < v.next_school_year
    WHERE e.grade = '09' AND v.district_id IS NOT NULL
),
versioned AS (
    SELECT c.school_year, c.student_key, c.district_id, c.grade, c.is_resident,
        coalesce(
            max((g.school_year * 4 + g.level_rank) * 70368744177664 + g.groups) FILTER (WHERE g.education_level <> 'postsecondary'),
            max((g.school_year * 4 + g.level_rank) * 70368744177664 + g.groups)
        ) & 70368744177663 AS groups
    FROM counted AS c
    JOIN student_group_mask AS g ON g.student_key = c.student_key AND g.school_year <= c.school_year
    GROUP BY c.school_year, c.student_key, c.district_id, c.grade, c.is_resident
)
SELECT v.school_year, v.student_key, v.district_id, v.grade, v.is_resident,
    v.groups | CASE WHEN (v.groups & m.of_color) <> 0 THEN 70368744177664 ELSE 0 END AS groups
FROM report_mask AS m
CROSS JOIN versioned AS v
