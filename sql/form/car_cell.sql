/*
title = "Every cell of the forms IV.B: lines by columns, as they are entered"
grain = ["report_year", "form", "population", "column_name"]
authority = "Federal CAR guide (January 2025), IV.A.1 and IV.B; specification: federal-report, Performance data forms"
[columns]
column_name = "number, a career cluster, numerator, denominator, state_level, actual_level, difference or met_90"
kind = "What the column is: number, career_cluster, numerator, denominator, state_level, actual_level, difference or met_90"
students = "Count as entered: -9 the state offers no such program, -1 not handed over; null in the other columns"
level = "A level of performance in percent, or a difference of two in percentage points"
flag = "Y or N"
place = "Order of the cells on the forms, as one number"
*/
WITH offered AS (
    SELECT DISTINCT k.report_year, k.career_cluster
    FROM program_cluster AS k
    JOIN program_as_of AS p ON p.report_year = k.report_year AND p.program_key = k.program_key
    WHERE p.approval = 'approved'
),
-- Which clusters could be told: all of them by a crosswalk that was handed over, or where every approved program has one; else those that the
-- crosswalk that ships names.
told AS (
    SELECT DISTINCT r.report_year, l.code AS career_cluster
    FROM rule AS r
    JOIN reference.career_cluster_label AS l ON l.framework = r.career_cluster_framework
    JOIN crosswalk AS c ON lower(trim(c.career_cluster)) = l.label
),
untold AS (
    SELECT DISTINCT o.report_year
    FROM offered AS o
    JOIN collection AS c ON c.collection = 'crosswalk' AND NOT c.is_given
    WHERE o.career_cluster = 'other'
),
state_target AS (
    SELECT report_year, indicator, target_percent
    FROM target
    WHERE grantee_id IS NULL
),
-- Lines and columns are numbered in the order in which they are printed.
cell AS (
    SELECT l.*, c.column_name, c.kind, c.career_cluster, CAST(c.column_order AS BIGINT) AS column_order,
        ((CAST(l.report_year AS BIGINT) * 4096 + l.form_order) * 256 + l.line_order) * 64 + CAST(c.column_order AS BIGINT) AS place
    FROM car_line AS l
    JOIN rule AS r ON r.report_year = l.report_year
    JOIN reference.car_column AS c
        ON c.instrument = r.car_instrument AND c.form = l.form_kind
        AND coalesce(c.framework, r.career_cluster_framework) = r.career_cluster_framework
),
enrollment AS (
    SELECT c.*,
        CASE
            -- -9 is of a cluster; nobody in Other is 0. A program in Other may be of any cluster that could not be told.
            WHEN c.kind = 'career_cluster' AND c.career_cluster <> 'other' AND o.career_cluster IS NULL
                THEN CASE WHEN n.career_cluster IS NULL AND u.report_year IS NOT NULL THEN -1 ELSE -9 END
            WHEN c.collection IS NOT NULL THEN -1
            ELSE coalesce(e.students, 0)
        END AS students,
        CAST(NULL AS DECIMAL(7, 2)) AS level, CAST(NULL AS VARCHAR) AS flag
    FROM cell AS c
    LEFT JOIN offered AS o ON o.report_year = c.report_year AND o.career_cluster = c.career_cluster
    LEFT JOIN told AS n ON n.report_year = c.report_year AND n.career_cluster = c.career_cluster
    LEFT JOIN untold AS u ON u.report_year = c.report_year
    LEFT JOIN car_enrollment AS e
        ON e.report_year = c.report_year AND e.education_level = c.education_level AND e.status = c.status
        AND e.group_kind = c.group_kind AND e.group_code = c.group_code AND e.career_cluster = coalesce(c.career_cluster, 'all')
    WHERE c.indicator IS NULL
),
leveled AS (
    SELECT c.*, coalesce(p.numerator, 0) AS numerator, coalesce(p.denominator, 0) AS denominator, p.status AS target_status,
        -- The state has no level for kinds of placement.
        CASE WHEN c.group_kind <> 'placement' THEN t.target_percent END AS state_level,
        CAST(p.hundredths AS DECIMAL(9, 0)) * CAST(0.01 AS DECIMAL(3, 2)) AS actual_level
    FROM cell AS c
    LEFT JOIN state_target AS t ON t.report_year = c.report_year AND t.indicator = c.indicator
    LEFT JOIN car_performance AS p
        ON p.report_year = c.report_year AND p.indicator = c.indicator AND p.group_kind = c.group_kind AND p.group_code = c.group_code
    WHERE c.indicator IS NOT NULL
),
listed AS (
    SELECT
        report_year, form, form_kind, education_level, status, indicator, line_order, line, section, population, group_kind, group_code, part_of,
        collection, requirement, column_name, kind, career_cluster, column_order, students, level, flag, place
    FROM enrollment
    UNION ALL
    SELECT
        report_year, form, form_kind, education_level, status, indicator, line_order, line, section, population, group_kind, group_code, part_of,
        collection, requirement, column_name, kind, career_cluster, column_order,
        CASE kind WHEN 'numerator' THEN numerator WHEN 'denominator' THEN denominator END AS students,
        CAST(CASE kind
            WHEN 'state_level' THEN state_level
            WHEN 'actual_level' THEN actual_level
            WHEN 'difference' THEN actual_level - state_level
        END AS DECIMAL(7, 2)) AS level,
        CASE WHEN kind = 'met_90' THEN CASE WHEN target_status = 'below_90' THEN 'N' WHEN target_status IS NOT NULL THEN 'Y' END END AS flag,
        place
    FROM leveled
)
SELECT * FROM listed
