/*
title = "Student by program"
description = "One row for each student, program and report year: the status as of the year, and what it rests on."
grain = ["report_year", "student_id", "program_id"]
authority = "specification: outputs, student_program"
restricted = true
[columns]
report_year = "Report year: 2024 is 1 July 2023 to 30 June 2024"
district_id = "District of the program's school; a college has none"
education_level = "Level of the program: secondary (a school's) or postsecondary (a college's)"
status = "enrollee, participant or concentrator as of the report year"
credits = "Credits passed that count at the program's level"
advanced_credits = "Of these, in intermediate or advanced courses"
cte_specific_credits = "Of these, CTE-specific"
courses_passed = "Distinct course codes passed"
first_school_year = "First school year with a course or program enrollment"
last_school_year = "Last school year with a course or program enrollment"
is_primary = "The student's primary program of the level"
is_nontraditional = "The field is nontraditional for the student's gender"
*/
SELECT
    s.report_year, k.student_id, g.program_id, g.institution_id, g.district_id, g.grantee_id, s.education_level, s.approval, g.cip_code, s.status,
    CAST(s.credits AS DECIMAL(7, 2)) AS credits,
    CAST(s.advanced_credits AS DECIMAL(7, 2)) AS advanced_credits,
    CAST(s.cte_specific_credits AS DECIMAL(7, 2)) AS cte_specific_credits,
    CAST(s.courses_passed AS INT) AS courses_passed,
    s.first_school_year, s.last_school_year,
    p.program_key IS NOT NULL AS is_primary,
    s.is_nontraditional,
    -- Room for 2^27 students and 2^23 programs.
    (CAST(s.report_year AS BIGINT) * 134217728 + k.student_order) * 8388608 + s.program_order AS place
FROM requested AS q
JOIN program_as_of AS g ON g.report_year = q.report_year
JOIN student_program_status AS s ON s.report_year = g.report_year AND s.program_key = g.program_key
JOIN key.student AS k ON k.student_key = s.student_key
LEFT JOIN primary_program AS p ON p.report_year = s.report_year AND p.student_key = s.student_key AND p.program_key = s.program_key
