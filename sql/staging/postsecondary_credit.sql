/*
title = "Postsecondary credits earned in secondary programs"
grain = ["school_year", "student_key", "program_key", "credit_kind"]
authority = "specification: collections, postsecondary_credit"
[columns]
student_key = "Stable whole number that stands for student_id"
program_key = "Stable whole number that stands for program_id"
*/
SELECT school_year, student_key, program_key, credit_kind, credits
FROM lake.postsecondary_credit
