/*
title = "Placements of former secondary concentrators in the quarter that counts"
grain = ["report_year", "student_key", "program_key", "placement_kind"]
authority = "specification: indicators, rule 3S1 quarter; Oregon guide, 3S1 (fall quarter)"
*/
WITH due AS (
    SELECT
        c.report_year, c.student_key, c.program_key,
        CASE r.secondary_placement_quarter
            WHEN 'fourth_quarter_of_exit_year' THEN (c.report_year - 1) * 4 + 3
            ELSE c.exit_quarter + 2
        END AS quarter
    FROM secondary_concentrator AS c
    JOIN rule AS r ON r.report_year = c.report_year
    WHERE c.exit_year = c.report_year - 1 AND NOT c.is_removed
)
SELECT d.report_year, d.student_key, d.program_key, p.placement_kind, bool_or(p.high_skill) AS high_skill, bool_or(p.high_wage) AS high_wage
FROM placement AS p
JOIN due AS d ON d.student_key = p.student_key AND d.quarter = p.quarter
WHERE p.placement_kind <> 'not_placed'
GROUP BY d.report_year, d.student_key, d.program_key, p.placement_kind
