/*
title = "Placements of former secondary concentrators in the quarter that counts, and those that the graduate follow-up found"
grain = ["report_year", "student_key", "program_key", "group_code"]
reason = "The Graduate Follow-Up Results of the year before add to the placements of 3S1, whatever the quarter and the program"
authority = "Massachusetts DESE, Reporting & Data Resources page (May 2026), Graduate Follow-Up Results Collection; specification: massachusetts, Graduate follow-up"
[columns]
group_code = "Code under which the placement is counted; null if it has none"
*/
WITH found AS (
    SELECT d.report_year, d.student_key, d.program_key, p.placement_kind, p.high_skill, p.high_wage
    FROM placement AS p
    JOIN secondary_placement_due AS d ON d.student_key = p.student_key AND d.quarter = p.quarter
    WHERE p.placement_kind <> 'not_placed'
    UNION ALL
    SELECT d.report_year, d.student_key, d.program_key, o.placement_kind, FALSE AS high_skill, FALSE AS high_wage
    FROM reference.follow_up_outcome AS o
    JOIN graduate_follow_up AS f ON f.outcome = o.outcome
    JOIN secondary_placement_due AS d ON d.student_key = f.student_key AND d.report_year = f.school_year + 1
    WHERE o.placement_kind IS NOT NULL
)
SELECT DISTINCT f.report_year, f.student_key, f.program_key, c.group_code
FROM found AS f
LEFT JOIN placement_code AS c ON c.placement_kind = f.placement_kind AND c.high_skill = f.high_skill AND c.high_wage = f.high_wage
