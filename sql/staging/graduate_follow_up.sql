/*
title = "What graduates were found to do in the year after"
grain = ["school_year", "student_key"]
authority = "specification: collections, graduate_follow_up"
[columns]
student_key = "Stable whole number that stands for student_id"
program_key = "Stable whole number that stands for program_id; null: no program is named"
*/
SELECT school_year, student_key, program_key, outcome
FROM lake.graduate_follow_up
