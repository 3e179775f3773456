/*
title = "Students, a row for each school year and education level"
grain = ["school_year", "student_key", "education_level"]
authority = "specification: collections, student"
[columns]
student_key = "Stable whole number that stands for student_id"
level_rank = "Which row goes first of two in one school year: secondary 2, middle 1, postsecondary 0"
*/
SELECT
    school_year, student_key, education_level,
    CASE education_level WHEN 'secondary' THEN 2 WHEN 'middle' THEN 1 ELSE 0 END AS level_rank,
    first_name, last_name, birth_date, cohort_year, gender, race_ethnicity,
    individual_with_disability, section_504, economically_disadvantaged, single_parent, out_of_workforce, english_learner,
    homeless, foster_care, ever_foster_care, parent_in_active_military, parent_in_armed_forces, migrant
FROM lake.student
