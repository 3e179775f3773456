/*
title = "Subaward forms (II.C)"
description = "Columns A to G of the forms of sections 131 and 132, a line for each recipient, and the totals of each section."
grain = ["report_year", "section", "line", "recipient_id"]
authority = "Federal CAR guide (January 2025), pages 12 to 14, and pages 47 and 48, II.C; specification: federal-report, Subawards and financial status reports"
restricted = true
[columns]
report_year = "Program year: 2024 is 1 July 2023 to 30 June 2024"
line = "recipient, or total: the sums of the section"
recipient_id = "Recipient or entity, by the state's identifier; null in a total"
recipient_name = "Column A: name of the recipient or entity"
federal_id = "Column B: 7-digit NCES district number (131) or 6-digit IPEDS number (132)"
formula_allocation = "Column C: dollars by the formula, before minimums and consortia"
final_award = "Column D: dollars awarded; 0 for a member of a consortium that is not its fiscal agent"
consortium_code = "Column E: 0 no consortium; 1 minimum allocation; 131: 2 area school or service agency, 3 other; 132: 2 other"
consortium_id = "Column F: number of the consortium"
fiscal_agent = "Column G: Yes or No for a member of a consortium, else Not Applicable"
*/
WITH line AS (
    SELECT
        report_year, section, 'recipient' AS line, recipient_id, recipient_name, federal_id,
        CAST(formula_allocation AS DECIMAL(18, 2)) AS formula_allocation,
        CAST(final_award AS DECIMAL(18, 2)) AS final_award,
        consortium_code, consortium_id,
        CASE WHEN consortium_code = 0 THEN 'Not Applicable' WHEN is_fiscal_agent THEN 'Yes' ELSE 'No' END AS fiscal_agent
    FROM subaward_line
    UNION ALL
    SELECT
        report_year, section, 'total', NULL, 'Total', NULL,
        CAST(sum(formula_allocation) AS DECIMAL(18, 2)), CAST(sum(final_award) AS DECIMAL(18, 2)), NULL, NULL, NULL
    FROM subaward_line
    GROUP BY report_year, section
)
SELECT
    l.report_year, l.section, l.line, l.recipient_id, l.recipient_name, l.federal_id, l.formula_allocation, l.final_award,
    l.consortium_code, l.consortium_id, l.fiscal_agent
FROM line AS l
JOIN requested AS q ON q.report_year = l.report_year
ORDER BY l.report_year, l.section, l.line, l.recipient_id
