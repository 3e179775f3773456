/*
title = "Gaps"
description = "How far each group is from all students and from the target, and whether the gap closes. Every state, grantee, district and institution figure of a group except all and placement."
grain = ["report_year", "indicator", "level", "entity_id", "group_kind", "group_code"]
authority = "specification: outputs, gap; Perkins V section 113(b)(3)(C)(ii)(II)"
restricted = true
earlier_years = "year_before"
[columns]
report_year = "Report year: 2024 is 1 July 2023 to 30 June 2024"
indicator = "Id of the indicator, such as 1S1"
level = "state, grantee, district, institution or program"
entity_id = "Id of the entity; for the state, the jurisdiction's code"
group_kind = "all, gender, race_ethnicity, special_population, career_cluster or placement"
group_code = "Code of the group"
rate = "The group's rate, unrounded"
all_rate = "The rate of all students of the entity"
gap_to_all = "rate less all_rate, percentage points"
gap_to_target = "rate less target, percentage points"
prior_rate = "The group's rate one report year before"
change = "rate less prior_rate, percentage points"
progress = "closing, widening or unchanged: the absolute gap to all shrank, grew or stayed, compared exactly; new without a prior rate"
*/
SELECT
    report_year, indicator, level, entity_id, group_kind, group_code, rate, all_rate, gap_to_all, gap_to_target, prior_rate, change, progress, place
FROM gap_figure
