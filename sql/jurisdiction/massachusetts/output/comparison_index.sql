/*
title = "Comparison index"
description = "For each CTE district and group: the share of the group among the residents of its member towns in the grades it serves, the comparison index (lower limit of the one-sided 99 percent Wilson score interval), and the share in its grade 09."
grain = ["report_year", "district_id", "group_kind", "group_code"]
authority = "Massachusetts DESE, Program Quality page (May 2026), Comparison Index Description; specification: massachusetts, Comparison index"
restricted = true
[columns]
report_year = "Report year, the school year of the enrollment: 2024 is 1 July 2023 to 30 June 2024"
district_id = "CTE district: one with rows in resident.member_district_id"
group_kind = "deciding (the groups that decide about flags), race_ethnicity, gender or special_population"
group_code = "Code of the group"
n = "Students in the sample"
members = "Of these, in the group"
p = "members by n, from 0 to 1"
index = "Comparison index in percent, unrounded; exactly 0 with no member"
attending_n = "Students of the district in grade 09"
attending_members = "Of these, in the group"
attending = "100 times attending_members by attending_n; null without a student in grade 09"
difference = "attending less index, percentage points"
*/
SELECT
    report_year, district_id, group_kind, group_code, n, members, p, index, attending_n, attending_members, attending, difference
FROM comparison_figure
WHERE school_year = report_year
ORDER BY report_year, district_id, group_kind, group_code
