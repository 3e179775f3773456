/*
title = "Subawards of sections 131 and 132, a row for each recipient and program year"
grain = ["program_year", "section", "recipient_id"]
authority = "specification: collections, subaward"
*/
SELECT
    program_year, section, recipient_id, recipient_name, federal_id, formula_allocation, final_award, consortium_code, consortium_id,
    -- Not reported counts as no.
    coalesce(is_fiscal_agent, FALSE) AS is_fiscal_agent
FROM lake.subaward
