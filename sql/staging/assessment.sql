/*
title = "Statewide assessments taken"
grain = ["school_year", "student_key", "subject", "assessment_kind"]
authority = "specification: collections, assessment"
[columns]
student_key = "Stable whole number that stands for student_id"
*/
SELECT school_year, student_key, subject, assessment_kind, performance_level, valid_score
FROM lake.assessment
