/*
title = "Pell report"
description = "Pell recipients who are postsecondary CTE students, with the amounts of their grants, by group."
grain = ["report_year", "level", "entity_id", "group_kind", "group_code"]
authority = "Massachusetts DESE, Reporting & Data Resources page (May 2026), Pell Report; specification: massachusetts, Postsecondary reports"
restricted = true
[columns]
report_year = "Report year: 2024 is 1 July 2023 to 30 June 2024"
level = "state, institution or program (where the grant's row names it)"
entity_id = "Id of the entity; for the state, the jurisdiction's code"
group_kind = "all, gender, race_ethnicity or special_population"
group_code = "Code of the group"
recipients = "Recipients, each once"
award_amount = "Dollars of all their grants"
mean_award_amount = "award_amount by recipients, unrounded"
*/
WITH placed AS (
    SELECT
        a.report_year, v.level, a.groups, a.award_amount,
        CASE v.level WHEN 'state' THEN j.code WHEN 'institution' THEN a.institution_id ELSE a.program_id END AS entity_id
    FROM jurisdiction AS j
    CROSS JOIN (VALUES ('state'), ('institution'), ('program')) AS v (level)
    CROSS JOIN pell_student AS a
),
counted AS (
    -- A student has one grant a year, so rows are students.
    SELECT r.report_year, r.level, r.entity_id, g.group_kind, g.group_code, count(*) AS recipients, sum(r.award_amount) AS award_amount
    FROM student_group AS g
    JOIN placed AS r ON (r.groups & g.mask) <> 0
    WHERE r.entity_id IS NOT NULL
    GROUP BY r.report_year, r.level, r.entity_id, g.group_kind, g.group_code
)
SELECT
    report_year, level, entity_id, group_kind, group_code, recipients,
    CAST(award_amount AS DECIMAL(14, 2)) AS award_amount,
    CAST(award_amount AS DOUBLE) / CAST(recipients AS DOUBLE) AS mean_award_amount
FROM counted
ORDER BY report_year, level, entity_id, group_kind, group_code
