/*
title = "Graduates followed up, with the entities in which they count"
description = "A startup program, or one of no known institution, is as if not named. A student with no student row by then is left out."
grain = ["report_year", "student_key"]
authority = "specification: massachusetts, Graduate follow-up"
[columns]
report_year = "The year after the school year of graduation"
groups = "Bit mask of the student's groups"
program_id = "The program that the graduate is followed up for"
institution_id = "Of the program, else of the last exit that names one"
district_id = "Of that institution"
*/
WITH exited AS (
    SELECT q.report_year, x.student_key, x.institution_id
    FROM requested AS q
    JOIN exit AS x ON x.exit_year < q.report_year
    WHERE x.institution_id IS NOT NULL
    QUALIFY row_number() OVER (
        PARTITION BY q.report_year, x.student_key ORDER BY x.exit_year DESC, x.exit_date DESC, x.school_year DESC
    ) = 1
)
SELECT
    q.report_year, f.student_key, f.outcome, s.secondary_version & 70368744177663 AS groups, p.program_id,
    CASE WHEN p.program_key IS NOT NULL THEN p.institution_id ELSE x.institution_id END AS institution_id,
    CASE WHEN p.program_key IS NOT NULL THEN p.district_id WHEN i.education_level = 'secondary' THEN i.district_id END AS district_id
FROM requested AS q
JOIN graduate_follow_up AS f ON f.school_year = q.report_year - 1
JOIN student_as_of AS s ON s.report_year = q.report_year AND s.student_key = f.student_key
LEFT JOIN program_as_of AS p ON p.report_year = q.report_year AND p.program_key = f.program_key AND p.approval = 'approved'
LEFT JOIN exited AS x ON x.report_year = q.report_year AND x.student_key = f.student_key
LEFT JOIN institution_as_of AS i ON i.report_year = q.report_year AND i.institution_id = x.institution_id
