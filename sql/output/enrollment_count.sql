/*
title = "Enrollment counts"
description = "Students with a course or program enrollment in the report year in an approved program, by status and career cluster; each student once in each cell."
grain = ["report_year", "education_level", "status", "level", "entity_id", "group_kind", "group_code", "career_cluster"]
authority = "specification: indicators, Enrollment counts; outputs, enrollment_count"
restricted = true
[columns]
report_year = "Report year: 2024 is 1 July 2023 to 30 June 2024"
entity_id = "Id of the entity; for the state, the jurisdiction's code"
entity_name = "Latest name given, else the id"
group_code = "Code of the group"
education_level = "middle, secondary or postsecondary"
status = "participant (or more) or concentrator"
level = "state, grantee, district, institution or program"
group_kind = "all, gender, race_ethnicity or special_population"
career_cluster = "Code of the cluster, or all"
students = "Students, each once"
*/
SELECT report_year, education_level, status, level, entity_id, entity_name, group_kind, group_code, career_cluster, students, place
FROM enrollment_figure
