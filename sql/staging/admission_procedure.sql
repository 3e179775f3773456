/*
title = "Seats of CTE districts and how they are filled"
grain = ["school_year", "district_id"]
authority = "specification: collections, admission_procedure"
*/
SELECT school_year, district_id, seats, apportionment, lottery
FROM lake.admission_procedure
