/*
title = "Improvement plans owed"
description = "One row for each state, grantee and district that is below 90 percent of the target of an indicator."
grain = ["report_year", "indicator", "level", "entity_id"]
authority = "Perkins V sections 113(b)(3) and 123; Oregon guide, Did not Meet 90% of Target; specification: outputs, improvement_plan"
restricted = true
earlier_years = "years_with_targets"
[columns]
report_year = "Report year: 2024 is 1 July 2023 to 30 June 2024"
indicator = "Id of the indicator, such as 1S1"
level = "state, grantee, district, institution or program"
entity_id = "Id of the entity; for the state, the jurisdiction's code"
entity_name = "Latest name given, else the id"
rate = "100 times numerator by denominator, unrounded"
target = "The entity's target in percent: a grantee's own, else the state's"
years_below_in_a_row = "Report years in a row below 90 percent, this one included; a year without a status breaks it"
first_year_below = "First report year of the streak"
progress_after_three_years = "too_early before the third year in a row; then yes if the rate is above that of the first year below, else no"
widest_gaps = "The three groups furthest below all students, as kind:code, joined by ;"
*/
SELECT
    report_year, indicator, level, entity_id, entity_name, rate, target, years_below_in_a_row, first_year_below, progress_after_three_years, widest_gaps
FROM improvement_figure
ORDER BY report_year, indicator, level, entity_id
