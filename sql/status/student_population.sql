/*
title = "The groups a student belongs to, by the row of one school year"
description = """
Each text column is a partition of students (gender, race and ethnicity); each yes or no column is a special population, named by its group code.
A further special population is one more column here, and nothing else."""
grain = ["school_year", "student_key", "education_level"]
authority = "specification: indicators, Who counts where; Perkins V section 3(48), special populations"
codes_from = "student"
[columns]
student_key = "Stable whole number that stands for student_id"
level_rank = "Which row goes first of two in one school year"
individual_with_disability = "Individual with a disability, section 504 included"
foster_care = "Youth who are in, or have aged out of, foster care"
parent_in_armed_forces = "A parent in the armed forces, active or not"
migrant = "Youth from a migrant family; no group of postsecondary figures, see student_program_status"
nontraditional = "Individual preparing for a nontraditional field: decided by the program, see concentrator"
*/
SELECT
    school_year, student_key, education_level, level_rank, cohort_year, gender, race_ethnicity,
    coalesce(individual_with_disability, FALSE) OR coalesce(section_504, FALSE) AS individual_with_disability,
    coalesce(economically_disadvantaged, FALSE) AS economically_disadvantaged,
    FALSE AS nontraditional,
    coalesce(single_parent, FALSE) AS single_parent,
    coalesce(out_of_workforce, FALSE) AS out_of_workforce,
    coalesce(english_learner, FALSE) AS english_learner,
    coalesce(homeless, FALSE) AS homeless,
    coalesce(foster_care, FALSE) OR coalesce(ever_foster_care, FALSE) AS foster_care,
    coalesce(parent_in_active_military, FALSE) AS parent_in_active_military,
    coalesce(parent_in_armed_forces, FALSE) OR coalesce(parent_in_active_military, FALSE) AS parent_in_armed_forces,
    coalesce(migrant, FALSE) AS migrant
FROM student
