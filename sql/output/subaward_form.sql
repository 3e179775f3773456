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
        report_year, section,
        CASE grouping(recipient_id) WHEN 1 THEN 'total' ELSE 'recipient' END AS line,
        recipient_id,
        -- Of a recipient there is one row; a total has none of its texts.
        CASE grouping(recipient_id) WHEN 1 THEN 'Total' ELSE max(recipient_name) END AS recipient_name,
        CASE grouping(recipient_id) WHEN 0 THEN max(federal_id) END AS federal_id,
        CAST(sum(formula_allocation) AS DECIMAL(18, 2)) AS formula_allocation,
        CAST(sum(final_award) AS DECIMAL(18, 2)) AS final_award,
        CASE grouping(recipient_id) WHEN 0 THEN max(consortium_code) END AS consortium_code,
        CASE grouping(recipient_id) WHEN 0 THEN max(consortium_id) END AS consortium_id,
        CASE grouping(recipient_id)
            WHEN 0 THEN max(CASE WHEN consortium_code = 0 THEN 'Not Applicable' WHEN is_fiscal_agent THEN 'Yes' ELSE 'No' END)
        END AS fiscal_agent
    FROM subaward_line
    GROUP BY GROUPING SETS ((report_year, section, recipient_id), (report_year, section))
)
SELECT
    l.report_year, l.section, l.line, l.recipient_id, l.recipient_name, l.federal_id, l.formula_allocation, l.final_award,
    l.consortium_code, l.consortium_id, l.fiscal_agent
FROM line AS l
JOIN requested AS q ON q.report_year = l.report_year
ORDER BY l.report_year, l.section, l.line, l.recipient_id
