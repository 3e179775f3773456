/*
title = "Groups of the reports by the bit that counts them"
description = "Bits 46 and 47, which no student group has, are those of students of color and of high needs: see report_student."
grain = ["report", "group_kind", "group_code"]
authority = "specification: massachusetts, Comparison index; Enrollment report"
[columns]
report = "comparison_index or enrollment_report"
group_bit = "Number of the bit in a mask of groups"
*/
SELECT 'comparison_index' AS report, group_kind, group_code, group_bit
FROM student_group
WHERE (group_kind IN ('gender', 'race_ethnicity') AND group_code NOT IN ('U', 'unknown')) OR group_code = 'economically_disadvantaged'
UNION ALL
SELECT 'comparison_index' AS report, 'deciding' AS group_kind, 'students_of_color' AS group_code, 46 AS group_bit
UNION ALL
SELECT 'comparison_index' AS report, 'deciding' AS group_kind,
    CASE group_code WHEN 'english_learner' THEN 'english_learners' ELSE 'students_with_disabilities' END AS group_code, group_bit
FROM student_group
WHERE group_code IN ('individual_with_disability', 'english_learner')
UNION ALL
SELECT 'enrollment_report' AS report, group_kind, group_code, group_bit
FROM student_group
WHERE group_kind IN ('all', 'gender', 'race_ethnicity')
UNION ALL
SELECT 'enrollment_report' AS report, 'selected_population' AS group_kind,
    CASE group_code
        WHEN 'individual_with_disability' THEN 'students_with_disabilities'
        WHEN 'economically_disadvantaged' THEN 'low_income'
        ELSE group_code
    END AS group_code, group_bit
FROM student_group
WHERE group_code IN ('individual_with_disability', 'english_learner', 'economically_disadvantaged')
UNION ALL
SELECT 'enrollment_report' AS report, 'selected_population' AS group_kind, 'high_needs' AS group_code, 47 AS group_bit
