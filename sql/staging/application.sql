/*
title = "Applications for admission to CTE districts, a row for each round"
grain = ["school_year", "round", "district_id", "applicant_id"]
authority = "specification: collections, application"
[columns]
student_key = "Stable whole number that stands for student_id; null: the applicant is not known as a student"
program_key = "Stable whole number that stands for program_id; null: no program is named"
*/
SELECT school_year, round, district_id, applicant_id, student_key, institution_id, program_key, grade, lottery, outcome
FROM lake.application
