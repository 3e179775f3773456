/*
title = "Public school students by the CTE district that their town belongs to"
grain = ["school_year", "student_key"]
authority = "specification: collections, resident"
[columns]
student_key = "Stable whole number that stands for student_id"
*/
SELECT
    school_year, student_key, town, member_district_id, grade, coalesce(out_of_district_placement, FALSE) AS out_of_district_placement
FROM lake.resident
