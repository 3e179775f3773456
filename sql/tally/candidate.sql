/*
title = "Candidates that are in a denominator, their indicators and groups as bit masks"
grain = ["report_year", "student_key", "program_key"]
authority = "design: a candidate carries its indicator bits"
[columns]
groups = "Bit mask of the student's groups at the program's level"
denominators = "Bits of the indicators in whose denominator the row is"
numerators = "Bits of the indicators in whose numerator the row is"
breakdown_denominators = "Bits of the breakdown measures of those indicators"
breakdown_numerators = "Bits of the breakdown measures that were found"
is_only = "The student has no other program"
*/
WITH masked AS (
    SELECT
        report_year, student_key, program_key, bit_or(measure_mask) AS denominators,
        bit_or(CASE WHEN numerator THEN measure_mask ELSE 0 END) AS numerators,
        bit_or(breakdown_mask) AS breakdown_denominators
    FROM membership
    WHERE denominator
    GROUP BY report_year, student_key, program_key
)
SELECT
    m.report_year, m.student_key, m.program_key, c.education_level, c.groups, m.denominators, m.numerators, m.breakdown_denominators,
    m.breakdown_denominators & coalesce(b.numerators, 0) AS breakdown_numerators, v.programs = 1 AS is_only
FROM masked AS m
JOIN student_activity AS v ON v.report_year = m.report_year AND v.student_key = m.student_key
JOIN concentrator AS c ON c.report_year = m.report_year AND c.student_key = m.student_key AND c.program_key = m.program_key
LEFT JOIN breakdown AS b ON b.report_year = m.report_year AND b.student_key = m.student_key AND b.program_key = m.program_key
