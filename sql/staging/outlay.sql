/*
title = "Outlays: the entered rows of Financial Status Reports"
grain = ["program_year", "report", "row"]
authority = "specification: collections, outlay"
*/
SELECT
    program_year, report, row, previously_reported, total_outlays, program_income, non_federal_share, unliquidated_obligations, funds_authorized
FROM lake.outlay
