/*
title = "Targets: state determined performance levels, and grantees' own"
grain = ["report_year", "indicator", "grantee_id"]
authority = "specification: collections, target"
*/
SELECT report_year, upper(indicator) AS indicator, grantee_id, target_percent
FROM lake.target
