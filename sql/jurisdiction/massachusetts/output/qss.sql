/*
title = "Quality Support System screening"
description = """
Measures of program quality of each school, beside the state's and the other schools'. A school without a value of a measure has no row of it."""
grain = ["report_year", "institution_id", "measure"]
authority = "Massachusetts DESE, Program Quality page (May 2026), CCTE Quality Support System; specification: massachusetts, Program quality"
restricted = true
[columns]
report_year = "Report year: 2024 is 1 July 2023 to 30 June 2024"
institution_id = "The school"
measure = "Code of the measure"
source = "lake (computed from students) or school_measure (handed over)"
numerator = "Students in the numerator, or what school_measure gives"
denominator = "Students in the denominator, or what school_measure gives"
value = "100 times numerator by denominator; of student_teacher_ratio numerator by denominator"
state_value = "The same of the state: each student of the lake once, and what school_measure gives of schools without"
percentile_rank = "Percent of schools with a worse value, those with an equal one (itself included) by half; of dropout_rate and student_teacher_ratio a higher value is worse"
lowest_quartile = "percentile_rank is below 25"
flags = "Measures of the school in the lowest quartile"
*/
WITH valued AS (
    SELECT
        f.report_year, f.level, f.institution_id, f.measure, f.source, f.numerator, f.denominator, m.lower_is_better = 'true' AS lower_is_better,
        -- Hundredths as whole numbers: equal fractions divide to equal floats, and unequal ones of such numbers never do.
        CASE m.is_ratio WHEN 'true' THEN 1.0 ELSE 100.0 END * CAST(CAST(f.numerator * 100 AS BIGINT) AS DOUBLE)
            / CAST(CAST(f.denominator * 100 AS BIGINT) AS DOUBLE) AS value
    FROM reference.quality_measure AS m
    JOIN quality_figure AS f ON f.measure = m.measure
),
beside_state AS (
    SELECT *, max(CASE WHEN level = 'state' THEN value END) OVER (PARTITION BY report_year, measure) AS state_value
    FROM valued
),
compared AS (
    SELECT
        report_year, institution_id, measure, source, numerator, denominator, value, state_value,
        CAST(rank() OVER (PARTITION BY report_year, measure ORDER BY CASE WHEN lower_is_better THEN -value ELSE value END) AS BIGINT) - 1 AS worse,
        count(*) OVER (PARTITION BY report_year, measure, value) AS equal,
        count(*) OVER (PARTITION BY report_year, measure) AS schools
    FROM beside_state
    WHERE level = 'institution'
),
ranked AS (
    SELECT *, (2 * worse + equal) * 4 < 2 * schools AS lowest_quartile
    FROM compared
)
SELECT
    report_year, institution_id, measure, source, numerator, denominator, value, state_value,
    CAST(50 * (2 * worse + equal) AS DOUBLE) / CAST(schools AS DOUBLE) AS percentile_rank,
    lowest_quartile,
    CAST(sum(CASE WHEN lowest_quartile THEN 1 ELSE 0 END) OVER (PARTITION BY report_year, institution_id) AS INT) AS flags
FROM ranked
ORDER BY report_year, institution_id, measure
