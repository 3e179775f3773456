/*
title = "Blocks I to IX of the Financial Status Reports (III.B)"
description = "What stands above and below the matrix of each report that was handed over. A person completes what is null."
grain = ["report_year", "report", "block"]
authority = "Federal CAR guide (January 2025), pages 18 and 19, III.A.1, and pages 49 and 50, III.B"
restricted = true
[columns]
report_year = "Program year of the grant: 2024 is 1 July 2023 to 30 June 2024"
block = "Number of the block, I to IX"
label = "Heading of the block"
value = "What the block says; the periods are the longest that the guide allows"
*/
WITH given AS (
    SELECT DISTINCT program_year, report
    FROM outlay
)
SELECT
    g.program_year AS report_year, g.report, b.block, b.label,
    CASE b.text
        WHEN '{state_name}' THEN a.state_name
        WHEN '{accounting_basis}' THEN a.accounting_basis
        WHEN '{award_number}' THEN a.award_number
        WHEN '{award_amount}' THEN CAST(a.award_amount AS VARCHAR)
        ELSE replace(
            replace(replace(b.text, '{year_before}', CAST(g.program_year - 1 AS VARCHAR)), '{year_after}', CAST(g.program_year + 1 AS VARCHAR)),
            '{year}', CAST(g.program_year AS VARCHAR)
        )
    END AS value,
    (g.program_year * 2 + CASE g.report WHEN 'final' THEN 0 ELSE 1 END) * 16 + CAST(b.place AS INT) AS place
FROM given AS g
JOIN requested AS q ON q.report_year = g.program_year
JOIN rule AS r ON r.report_year = g.program_year
JOIN reference.fsr_block AS b ON b.instrument = r.car_instrument AND b.report = g.report
LEFT JOIN allocation AS a ON a.program_year = g.program_year
