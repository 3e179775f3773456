/*
title = "Rows A to N of the Financial Status Reports that were handed over, with columns 1 to 11"
description = """
A row that the collection leaves out of a report is 0. Column 1 of a final report is the interim report's column 4, not what was entered, if there is an
interim report of the program year."""
grain = ["report_year", "report", "row"]
authority = "Federal CAR guide (January 2025), pages 19 to 22, III.A.2 and 3; specification: federal-report, Subawards and financial status reports"
*/
WITH RECURSIVE
-- The entered rows in each row: itself in an entered one, those of all its members in a subtotal.
part AS (
    SELECT f.instrument, f.row, f.row AS entered_row
    FROM reference.fsr_row AS f
    WHERE f.kind = 'entered'
    UNION ALL
    SELECT m.instrument, m.row, p.entered_row
    FROM part AS p
    JOIN reference.fsr_member AS m ON m.instrument = p.instrument AND m.member = p.row
),
given AS (
    SELECT DISTINCT program_year, report
    FROM outlay
),
entered AS (
    SELECT
        g.program_year AS report_year, g.report, f.instrument, f.row,
        CASE
            WHEN g.report = 'interim' THEN NULL
            WHEN i.program_year IS NULL THEN coalesce(o.previously_reported, 0)
            ELSE coalesce(b.total_outlays - b.program_income, 0)
        END AS previously_reported,
        coalesce(o.total_outlays, 0) AS total_outlays,
        coalesce(o.program_income, 0) AS program_income,
        coalesce(o.non_federal_share, 0) AS non_federal_share,
        coalesce(o.unliquidated_obligations, 0) AS unliquidated_obligations,
        coalesce(o.funds_authorized, 0) AS funds_authorized
    FROM given AS g
    JOIN rule AS r ON r.report_year = g.program_year
    JOIN reference.fsr_row AS f ON f.instrument = r.car_instrument AND f.kind = 'entered'
    LEFT JOIN outlay AS o ON o.program_year = g.program_year AND o.report = g.report AND o.row = f.row
    LEFT JOIN given AS i ON i.program_year = g.program_year AND i.report = 'interim'
    LEFT JOIN outlay AS b ON b.program_year = g.program_year AND b.report = 'interim' AND b.row = f.row
),
summed AS (
    SELECT
        e.report_year, e.report, p.instrument, p.row,
        CAST(sum(e.previously_reported) AS DECIMAL(18, 2)) AS previously_reported,
        CAST(sum(e.total_outlays) AS DECIMAL(18, 2)) AS total_outlays,
        CAST(sum(e.program_income) AS DECIMAL(18, 2)) AS program_income,
        CAST(sum(e.non_federal_share) AS DECIMAL(18, 2)) AS non_federal_share,
        CAST(sum(e.unliquidated_obligations) AS DECIMAL(18, 2)) AS unliquidated_obligations,
        CAST(sum(e.funds_authorized) AS DECIMAL(18, 2)) AS funds_authorized
    FROM part AS p
    JOIN entered AS e ON e.instrument = p.instrument AND e.row = p.entered_row
    GROUP BY e.report_year, e.report, p.instrument, p.row
),
outlaid AS (
    SELECT *,
        total_outlays - program_income AS net_outlays,
        coalesce(previously_reported, 0) + total_outlays - program_income AS net_outlays_to_date
    FROM summed
)
SELECT
    s.report_year, s.report, s.row, f.kind, f.part, f.heading, f.label,
    s.previously_reported AS net_outlays_previously_reported,
    s.total_outlays, s.program_income,
    CAST(s.net_outlays AS DECIMAL(18, 2)) AS net_outlays,
    CAST(s.net_outlays_to_date AS DECIMAL(18, 2)) AS net_outlays_to_date,
    s.non_federal_share,
    CAST(s.net_outlays_to_date - s.non_federal_share AS DECIMAL(18, 2)) AS federal_share,
    s.unliquidated_obligations,
    CAST(s.net_outlays_to_date - s.non_federal_share + s.unliquidated_obligations AS DECIMAL(18, 2)) AS federal_share_and_obligations,
    s.funds_authorized,
    CAST(s.funds_authorized - (s.net_outlays_to_date - s.non_federal_share + s.unliquidated_obligations) AS DECIMAL(18, 2)) AS balance
FROM outlaid AS s
JOIN reference.fsr_row AS f ON f.instrument = s.instrument AND f.row = s.row
