/*
title = "Financial Status Reports (III.B)"
description = """
Rows A to N and columns 1 to 11 of the interim and final report of each program year. The Consolidated Annual Report of a year takes the interim report of its
program year and the final report of the program year before."""
grain = ["report_year", "report", "row"]
authority = "Federal CAR guide (January 2025), pages 18 to 22, III.A, and pages 49 and 50, III.B; specification: federal-report, Subawards and financial status reports"
restricted = true
[columns]
report_year = "Program year of the grant: 2024 is 1 July 2023 to 30 June 2024"
row = "Row of the form, A to N"
kind = "entered; or subtotal or total, summed up"
part = "Header row above the row's part of the form"
heading = "Header row within the part"
label = "Item of expenditure"
net_outlays_previously_reported = "Column 1: blank in an interim report; in a final one the interim report's column 4"
total_outlays = "Column 2: total outlays in this report period"
program_income = "Column 3: program income credits"
net_outlays = "Column 4: net outlays in this report period, 2 - 3"
net_outlays_to_date = "Column 5: net outlays to date, 1 + 4"
non_federal_share = "Column 6: non-Federal share of outlays"
federal_share = "Column 7: total Federal share of outlays, 5 - 6"
unliquidated_obligations = "Column 8: Federal share of unliquidated obligations"
federal_share_and_obligations = "Column 9: Federal share of outlays and unliquidated obligations, 7 + 8"
funds_authorized = "Column 10: Federal funds authorized for the row"
balance = "Column 11: balance of unobligated Federal funds, 10 - 9"
*/
SELECT
    f.report_year, f.report, f.row, f.kind, f.part, f.heading, f.label,
    f.net_outlays_previously_reported, f.total_outlays, f.program_income, f.net_outlays, f.net_outlays_to_date, f.non_federal_share, f.federal_share,
    f.unliquidated_obligations, f.federal_share_and_obligations, f.funds_authorized, f.balance
FROM fsr_line AS f
JOIN requested AS q ON q.report_year = f.report_year
ORDER BY f.report_year, f.report, f.row
