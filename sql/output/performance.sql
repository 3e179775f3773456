/*
title = "Performance"
description = "The long table behind every report: students in the denominator and numerator of each indicator, for each level, entity and group, with the target and the exact status. A figure with denominator 0 has no row, except the kinds of placement."
grain = ["report_year", "indicator", "level", "entity_id", "group_kind", "group_code"]
authority = "specification: outputs, performance"
restricted = true
[columns]
report_year = "Report year: 2024 is 1 July 2023 to 30 June 2024"
indicator = "Id of the indicator, such as 1S1"
entity_id = "Id of the entity; for the state, the jurisdiction's code"
entity_name = "Latest name given, else the id"
group_code = "Code of the group"
level = "state, grantee, district, institution or program"
group_kind = "all, gender, race_ethnicity, special_population, career_cluster or placement"
numerator = "Students in the numerator, each once"
denominator = "Students in the denominator, each once"
rate = "100 times numerator by denominator, unrounded"
target = "The entity's target in percent: a grantee's own, else the state's"
status = "met, within_90 or below_90; null without a target"
*/
SELECT f.report_year, f.indicator, f.level, f.entity_id, f.entity_name, f.group_kind, f.group_code, f.numerator, f.denominator, f.rate, f.target, f.status, f.place
FROM requested AS q
JOIN figure AS f ON f.report_year = q.report_year
