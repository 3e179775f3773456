/*
title = "Credentials earned"
grain = ["student_key", "credential_code", "earned_on"]
authority = "specification: collections, credential"
[columns]
student_key = "Stable whole number that stands for student_id"
program_key = "Stable whole number that stands for program_id; null: the credential names no program"
*/
SELECT student_key, program_key, credential_code, earned_on, recognized
FROM lake.credential
