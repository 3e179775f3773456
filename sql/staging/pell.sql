/*
title = "Pell grants"
grain = ["school_year", "student_key"]
authority = "specification: collections, pell"
[columns]
student_key = "Stable whole number that stands for student_id"
program_key = "Stable whole number that stands for program_id; null: no program is named"
*/
SELECT school_year, student_key, institution_id, program_key, award_amount
FROM lake.pell
