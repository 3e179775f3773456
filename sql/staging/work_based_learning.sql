/*
title = "Work-based learning experiences"
grain = ["school_year", "student_key", "program_key", "work_based_learning_kind", "started_on"]
authority = "specification: collections, work_based_learning"
[columns]
student_key = "Stable whole number that stands for student_id"
program_key = "Stable whole number that stands for program_id"
*/
SELECT school_year, student_key, program_key, work_based_learning_kind, started_on, hours
FROM lake.work_based_learning
