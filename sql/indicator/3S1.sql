/*
title = "Post-Program Placement"
education_level = "secondary"
grain = ["report_year", "student_key", "program_key"]
authority = "Perkins V section 113(b)(2)(A)(iii); Oregon guide, 3S1; specification: indicators, rule 3S1 quarter"
denominator_text = "Concentrators whose last exit fell in the year before the report year and was no removal from the cohort"
numerator_text = "Of these, with any placement in the quarter of the rule, or one that a state's own follow-up of graduates found"
explain = { denominator = ["exit:last"], numerator = ["secondary_placement"] }
[breakdown]
group_kind = "placement"
codes = "placement_group"
view = "secondary_placement"
*/
SELECT
    c.report_year, c.student_key, c.program_key,
    (c.exit_year IS NOT DISTINCT FROM c.report_year - 1) AND NOT c.is_removed AS denominator,
    p.student_key IS NOT NULL AS numerator,
    CASE
        WHEN (c.exit_year IS DISTINCT FROM c.report_year - 1) THEN 'not_exited'
        WHEN c.is_removed THEN 'removed_from_cohort'
    END AS exclusion
FROM secondary_concentrator AS c
LEFT JOIN (SELECT DISTINCT report_year, student_key, program_key FROM secondary_placement) AS p
    ON p.report_year = c.report_year AND p.student_key = c.student_key AND p.program_key = c.program_key
