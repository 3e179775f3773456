/*
title = "School enrollments"
grain = ["school_year", "student_key", "institution_id"]
authority = "specification: collections, enrollment; indicators, Exits"
[columns]
student_key = "Stable whole number that stands for student_id"
is_secondary_enrollment = "Grade 06 to 12 or SP: a student who comes back to it had not really left"
is_high_school_enrollment = "Grade 09 to 12 or SP"
grade_rank = "Grades in order: 6 to 12, then 13 for SP, 14 for PS"
*/
SELECT
    school_year, student_key, institution_id, grade,
    grade <> 'PS' AS is_secondary_enrollment,
    grade IN ('09', '10', '11', '12', 'SP') AS is_high_school_enrollment,
    CASE grade WHEN 'SP' THEN 13 WHEN 'PS' THEN 14 ELSE TRY_CAST(grade AS INT) END AS grade_rank
FROM lake.enrollment
