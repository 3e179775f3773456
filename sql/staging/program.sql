/*
title = "Programs, a row for each school year"
grain = ["school_year", "program_key"]
authority = "specification: collections, program"
[columns]
program_key = "Stable whole number that stands for program_id"
*/
SELECT school_year, program_key, program_id, institution_id, program_name, cip_code, approval, required_credits, career_cluster
FROM lake.program
