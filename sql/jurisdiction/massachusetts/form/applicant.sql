/*
title = "Applicants, each once: what the fall says of an outcome prevails"
description = """
A school, a program or a student that the fall does not name is the spring's. A startup program is as if not named; where no school is, it is the
program's."""
grain = ["report_year", "district_id", "applicant_id"]
authority = "specification: massachusetts, Admission and waitlist; Massachusetts DESE, Reporting & Data Resources page (May 2026), Admission and Waitlist Collection"
[columns]
report_year = "School year of entry"
person = "Number of the applicant: of a student student_key, else below 0"
groups = "Bit mask of the student's groups; of others, only all"
program_id = "The program applied to"
is_enrolled = "Accepted, and in enrollment of the year of entry, at any school"
*/
WITH latest AS (
    SELECT
        q.report_year, a.district_id, a.applicant_id,
        coalesce(max(a.student_key) FILTER (WHERE a.round = 'fall'), max(a.student_key)) AS student_key,
        coalesce(max(a.institution_id) FILTER (WHERE a.round = 'fall'), max(a.institution_id)) AS institution_id,
        coalesce(max(a.program_key) FILTER (WHERE a.round = 'fall'), max(a.program_key)) AS program_key,
        coalesce(max(a.outcome) FILTER (WHERE a.round = 'fall'), max(a.outcome)) AS outcome,
        bool_or(a.round = 'spring') AS in_spring,
        bool_or(a.round = 'fall') AS in_fall
    FROM requested AS q
    JOIN application AS a ON a.school_year = q.report_year
    GROUP BY q.report_year, a.district_id, a.applicant_id
),
entered AS (
    SELECT DISTINCT school_year, student_key FROM enrollment
)
SELECT
    l.report_year, l.district_id, l.applicant_id,
    coalesce(l.student_key, -CAST(row_number() OVER (ORDER BY l.report_year, l.district_id, l.applicant_id) AS INT)) AS person,
    coalesce(s.secondary_version & 70368744177663, 1) AS groups,
    coalesce(l.institution_id, p.institution_id) AS institution_id, p.program_id,
    l.outcome, l.in_spring, l.in_fall, l.outcome = 'accepted' AND n.student_key IS NOT NULL AS is_enrolled
FROM latest AS l
LEFT JOIN student_as_of AS s ON s.report_year = l.report_year AND s.student_key = l.student_key
LEFT JOIN program_as_of AS p ON p.report_year = l.report_year AND p.program_key = l.program_key AND p.approval = 'approved'
LEFT JOIN entered AS n ON n.school_year = l.report_year AND n.student_key = l.student_key
