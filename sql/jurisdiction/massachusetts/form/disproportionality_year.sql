/*
title = "Flags of each CTE district and school year, and the groups that are part of them"
description = """
The limits are compared with unrounded floats. They decide as exact numbers would: with members, an index is no fraction of numbers of students, so a
difference never equals a limit, and comes within the floats' error of 1e-12 only by a chance of that size; without a member, both are exact."""
grain = ["report_year", "school_year", "district_id"]
authority = "Massachusetts DESE, Program Quality page (May 2026), Disproportionality Analysis; specification: massachusetts, Comparison index"
[columns]
of_color = "Difference of students of color, percentage points"
with_disabilities = "Difference of students with disabilities"
english_learners = "Difference of English learners"
flag_1 = "All three differences are below 0"
flag_2 = "Any difference is below -5"
flag_3 = "Two differences are below -2.5"
of_color_is_part = "The difference of students of color made a flag true"
with_disabilities_is_part = "The difference of students with disabilities made a flag true"
english_learners_is_part = "The difference of English learners made a flag true"
*/
WITH side AS (
    SELECT
        report_year, school_year, district_id,
        max(difference) FILTER (WHERE group_code = 'students_of_color') AS of_color,
        max(difference) FILTER (WHERE group_code = 'students_with_disabilities') AS with_disabilities,
        max(difference) FILTER (WHERE group_code = 'english_learners') AS english_learners
    FROM comparison_figure
    WHERE group_kind = 'deciding' AND difference IS NOT NULL
    GROUP BY report_year, school_year, district_id
),
flagged AS (
    SELECT *,
        of_color < 0 AND with_disabilities < 0 AND english_learners < 0 AS flag_1,
        of_color < -5 OR with_disabilities < -5 OR english_learners < -5 AS flag_2,
        (of_color < -2.5 AND with_disabilities < -2.5) OR (of_color < -2.5 AND english_learners < -2.5)
            OR (with_disabilities < -2.5 AND english_learners < -2.5) AS flag_3
    FROM side
)
SELECT
    report_year, school_year, district_id, of_color, with_disabilities, english_learners, flag_1, flag_2, flag_3,
    flag_1 OR of_color < -5 OR (flag_3 AND of_color < -2.5) AS of_color_is_part,
    flag_1 OR with_disabilities < -5 OR (flag_3 AND with_disabilities < -2.5) AS with_disabilities_is_part,
    flag_1 OR english_learners < -5 OR (flag_3 AND english_learners < -2.5) AS english_learners_is_part
FROM flagged
