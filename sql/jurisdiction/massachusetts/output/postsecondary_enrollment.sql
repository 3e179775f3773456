/*
title = "Postsecondary and postgraduate enrollment"
description = "Students in postsecondary CTE programs, and high-school graduates in secondary CTE programs, as of 1 October of the school year."
grain = ["report_year", "level", "entity_id"]
authority = "Massachusetts DESE, Reporting & Data Resources page (May 2026), Postsecondary and Postgraduate Report; specification: massachusetts, Postsecondary reports"
restricted = true
[columns]
report_year = "Report year: 2024 is as of 1 October 2023"
level = "state, district or program"
entity_id = "Id of the entity; for the state, the jurisdiction's code"
postsecondary_students = "Students in postsecondary programs, each once"
postgraduates = "High-school graduates in secondary programs, each once"
*/
WITH placed AS (
    SELECT
        a.report_year, v.level, a.student_key, a.is_postgraduate,
        CASE v.level WHEN 'state' THEN j.code WHEN 'district' THEN a.district_id ELSE a.program_id END AS entity_id
    FROM jurisdiction AS j
    CROSS JOIN (VALUES ('state'), ('district'), ('program')) AS v (level)
    CROSS JOIN october_student AS a
),
student AS (
    SELECT report_year, level, entity_id, student_key, bool_or(NOT is_postgraduate) AS is_postsecondary, bool_or(is_postgraduate) AS is_postgraduate
    FROM placed
    WHERE entity_id IS NOT NULL
    GROUP BY report_year, level, entity_id, student_key
)
SELECT
    report_year, level, entity_id,
    count(*) FILTER (WHERE is_postsecondary) AS postsecondary_students,
    count(*) FILTER (WHERE is_postgraduate) AS postgraduates
FROM student
GROUP BY report_year, level, entity_id
ORDER BY report_year, level, entity_id
