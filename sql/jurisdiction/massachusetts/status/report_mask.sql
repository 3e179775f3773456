/*
title = "Masks of the student groups that two groups of the reports join, in one row"
grain = []
authority = "specification: massachusetts, Comparison index (students of color); Enrollment report (high needs)"
[columns]
of_color = "Races and ethnicities other than white; unknown is none of them"
high_needs = "Students with disabilities, English learners, economically disadvantaged students"
*/
SELECT
    sum(mask) FILTER (WHERE group_kind = 'race_ethnicity' AND group_code NOT IN ('white', 'unknown')) AS of_color,
    sum(mask) FILTER (
        WHERE group_kind = 'special_population' AND group_code IN ('individual_with_disability', 'english_learner', 'economically_disadvantaged')
    ) AS high_needs
FROM student_group
