/*
title = "Status of a student in a program as of the report year"
grain = ["report_year", "student_key", "program_key"]
authority = "specification: indicators, Status of a student in a program; Oregon guide, CTE Enrollment Status"
[columns]
status = "enrollee, participant or concentrator"
credits = "Credits passed that count at the program's level"
advanced_credits = "Of these, intermediate or advanced"
cte_specific_credits = "Of these, CTE-specific"
courses_passed = "Distinct course codes passed"
year_credits = "Credits passed in the report year itself"
middle_courses_passed = "Courses passed in grade 06 to 08 in the report year itself"
first_school_year = "First year with a course or program enrollment"
last_school_year = "Last year with a course or program enrollment"
last_primary_year = "Latest year in which the student flagged the program as primary"
groups = "Bit mask of the student's groups at the program's level, without nontraditional"
student_version = "Version of the student row used, see student_as_of"
is_nontraditional = "The field is nontraditional for the student's gender"
*/
WITH event AS (
    SELECT g.report_year, p.student_key, p.program_key, p.school_year, p.course_key, p.is_advanced, p.is_program_specific, p.credits_earned, p.is_primary,
        p.completed_program_credits,
        -- A school's program counts the courses passed in grade 09 to 12 or SP, a college's every course passed.
        p.passed AND (p.is_high_school_grade OR NOT g.is_secondary) AS counts,
        p.passed AND p.is_middle_grade AS is_middle_course,
        p.school_year = g.report_year AS is_this_year
    FROM program_as_of AS g
    JOIN program_activity AS p ON p.program_key = g.program_key AND p.known_year <= g.report_year
),
total AS (
    SELECT
        report_year, student_key, program_key,
        min(school_year) AS first_school_year, max(school_year) AS last_school_year,
        sum(credits_earned) FILTER (WHERE counts) AS credits,
        sum(credits_earned) FILTER (WHERE counts AND is_advanced) AS advanced_credits,
        sum(credits_earned) FILTER (WHERE counts AND is_program_specific) AS cte_specific_credits,
        -- A course in two terms, or repeated, is one.
        count(DISTINCT course_key) FILTER (WHERE counts) AS courses_passed,
        sum(credits_earned) FILTER (WHERE counts AND is_this_year) AS year_credits,
        count(*) FILTER (WHERE is_middle_course AND is_this_year) AS middle_courses_passed,
        max(school_year) FILTER (WHERE is_primary) AS last_primary_year,
        min(completed_program_credits) AS completed_program_credits
    FROM event
    GROUP BY report_year, student_key, program_key
),
counted AS (
    SELECT
        t.report_year, t.student_key, t.program_key, g.program_order, g.education_level, g.approval,
        g.has_traditional_gender, g.nontraditional_for_f, g.nontraditional_for_m,
        t.first_school_year, t.last_school_year, t.last_primary_year, t.courses_passed, t.completed_program_credits,
        coalesce(t.credits, CAST(0 AS DECIMAL(9, 2))) AS credits,
        coalesce(t.advanced_credits, CAST(0 AS DECIMAL(9, 2))) AS advanced_credits,
        coalesce(t.cte_specific_credits, CAST(0 AS DECIMAL(9, 2))) AS cte_specific_credits,
        coalesce(t.year_credits, CAST(0 AS DECIMAL(9, 2))) AS year_credits, t.middle_courses_passed,
        CASE g.education_level WHEN 'secondary' THEN s.secondary_version ELSE s.postsecondary_version END AS student_version
    FROM program_as_of AS g
    JOIN total AS t ON t.report_year = g.report_year AND t.program_key = g.program_key
    JOIN student_as_of AS s ON s.report_year = t.report_year AND s.student_key = t.student_key
)
SELECT
    c.report_year, c.student_key, c.program_key, c.program_order, c.education_level, c.approval,
    CASE
        WHEN c.education_level = 'secondary'
            AND c.courses_passed >= r.secondary_concentrator_courses
            AND c.credits >= r.secondary_concentrator_credits
            AND c.advanced_credits >= r.secondary_concentrator_advanced_credits THEN 'concentrator'
        WHEN c.education_level = 'postsecondary'
            AND ((c.credits >= r.postsecondary_concentrator_credits AND c.cte_specific_credits >= r.postsecondary_concentrator_specific_credits)
                OR coalesce(c.completed_program_credits < r.postsecondary_short_program_credits, FALSE)) THEN 'concentrator'
        WHEN c.education_level = 'secondary'
            AND c.courses_passed >= r.secondary_participant_courses
            AND c.credits >= r.secondary_participant_credits THEN 'participant'
        WHEN c.education_level = 'postsecondary' AND c.courses_passed >= r.postsecondary_participant_courses THEN 'participant'
        ELSE 'enrollee'
    END AS status,
    c.credits, c.advanced_credits, c.cte_specific_credits, c.courses_passed, c.year_credits, c.middle_courses_passed,
    c.first_school_year, c.last_school_year, c.last_primary_year,
    -- Migrant is no group of postsecondary figures, whichever row the groups come from.
    CASE c.education_level WHEN 'postsecondary' THEN c.student_version & (70368744177663 - m.migrant) ELSE c.student_version & 70368744177663 END AS groups,
    c.student_version, c.has_traditional_gender,
    (c.nontraditional_for_f AND (c.student_version & m.female) <> 0)
        OR (c.nontraditional_for_m AND (c.student_version & m.male) <> 0)
        OR (c.has_traditional_gender AND (c.student_version & m.nonbinary) <> 0
            AND CASE c.education_level WHEN 'secondary' THEN r.nontraditional_x_secondary ELSE r.nontraditional_x_postsecondary END)
        AS is_nontraditional
FROM group_mask AS m
CROSS JOIN rule AS r
JOIN counted AS c ON c.report_year = r.report_year
