/*
title = "The state's grant, a row for each program year"
grain = ["program_year"]
authority = "specification: collections, allocation"
*/
SELECT program_year, state_name, award_number, award_amount, accounting_basis
FROM lake.allocation
