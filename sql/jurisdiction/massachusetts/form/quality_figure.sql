/*
title = "Measures of program quality of each school and of the state"
description = """
From the lake where it has the measure's collection and a student in it, else from school_measure. The state's: each student of the lake once, with what
school_measure gives of schools without."""
grain = ["report_year", "level", "institution_id", "measure"]
authority = "specification: massachusetts, Program quality"
[columns]
level = "institution or state"
institution_id = "The school; of the state, its code"
source = "lake or school_measure; of the state null"
numerator = "Students, or what school_measure counts"
denominator = "Students, or what school_measure counts"
*/
WITH needed AS (
    SELECT measure, unnest(string_to_array(collections, ';')) AS collection
    FROM reference.quality_measure
    WHERE collections IS NOT NULL
),
in_lake AS (
    SELECT DISTINCT n.measure
    FROM needed AS n
    JOIN collection AS c ON c.collection = n.collection
    WHERE c.is_given
),
in_state AS (
    SELECT report_year, student_key, measure, bool_or(met) AS met FROM quality_student GROUP BY report_year, student_key, measure
),
found AS (
    SELECT f.report_year, f.level, f.entity_id AS institution_id, m.measure, f.numerator, f.denominator
    FROM reference.quality_measure AS m
    JOIN figure AS f ON f.indicator = m.indicator
    JOIN requested AS q ON q.report_year = f.report_year
    WHERE f.group_kind = 'all' AND f.level IN ('state', 'institution')
    UNION ALL
    SELECT report_year, 'institution' AS level, institution_id, measure, count(*) FILTER (WHERE met) AS numerator, count(*) AS denominator
    FROM quality_student
    GROUP BY report_year, institution_id, measure
    UNION ALL
    SELECT s.report_year, 'state' AS level, j.code AS institution_id, s.measure, count(*) FILTER (WHERE s.met) AS numerator, count(*) AS denominator
    FROM jurisdiction AS j
    CROSS JOIN in_state AS s
    GROUP BY s.report_year, j.code, s.measure
),
lake AS (
    SELECT f.report_year, f.level, f.institution_id, f.measure,
        CAST(f.numerator AS DECIMAL(16, 2)) AS numerator, CAST(f.denominator AS DECIMAL(16, 2)) AS denominator
    FROM found AS f
    LEFT SEMI JOIN in_lake AS n ON n.measure = f.measure
),
school AS (
    SELECT q.report_year, s.institution_id, s.measure,
        CAST(s.numerator AS DECIMAL(16, 2)) AS numerator, CAST(s.denominator AS DECIMAL(16, 2)) AS denominator
    FROM requested AS q
    JOIN school_measure AS s ON s.school_year = q.report_year
    LEFT ANTI JOIN lake AS l
        ON l.level = 'institution' AND l.report_year = s.school_year AND l.institution_id = s.institution_id AND l.measure = s.measure
    WHERE s.denominator > 0
),
part AS (
    SELECT report_year, measure, numerator, denominator FROM lake WHERE level = 'state'
    UNION ALL
    SELECT report_year, measure, numerator, denominator FROM school
)
SELECT report_year, level, institution_id, measure, 'lake' AS source, numerator, denominator FROM lake WHERE level = 'institution'
UNION ALL
SELECT report_year, 'institution' AS level, institution_id, measure, 'school_measure' AS source, numerator, denominator FROM school
UNION ALL
SELECT p.report_year, 'state' AS level, j.code AS institution_id, p.measure, CAST(NULL AS VARCHAR) AS source,
    CAST(sum(p.numerator) AS DECIMAL(16, 2)) AS numerator, CAST(sum(p.denominator) AS DECIMAL(16, 2)) AS denominator
FROM jurisdiction AS j
CROSS JOIN part AS p
GROUP BY p.report_year, j.code, p.measure
