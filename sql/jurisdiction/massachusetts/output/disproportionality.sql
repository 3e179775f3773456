/*
title = "Disproportionality"
description = """
Flags of potential disproportionate exclusion for each CTE district, what became of them over the years, and the desk review. A district of the
admission collections without residents has only its applications and seats."""
grain = ["report_year", "district_id"]
authority = "Massachusetts DESE, Program Quality page (May 2026), Disproportionality Analysis, Pre-onsite Monitoring; specification: massachusetts, Comparison index"
restricted = true
[columns]
report_year = "Report year, the school year of the enrollment: 2024 is 1 July 2023 to 30 June 2024"
district_id = "CTE district"
difference_students_of_color = "Attending share less comparison index of students of color, percentage points"
difference_students_with_disabilities = "The same of students with disabilities"
difference_english_learners = "The same of English learners"
flag_1 = "All three differences are below 0"
flag_2 = "Any difference is below -5"
flag_3 = "Two differences are below -2.5"
flagged = "Any of the flags; null without a comparison"
category = "newly_identified, one_group_repeated, several_groups_repeated, cleared or never"
repeated_groups = "Groups that are part of a flag in this year and in the year before, joined by ;"
progress_students_of_color = "progress if the difference rose from the year before, worse if it fell, else same; null without one"
progress_students_with_disabilities = "The same of students with disabilities"
progress_english_learners = "The same of English learners"
years_in_a_row = "School years in a row flagged, this one the last"
applications = "Applicants of the year of entry; one in spring and fall is one"
in_desk_review = "More applications than seats"
*/
WITH history AS (
    SELECT *, flag_1 OR flag_2 OR flag_3 AS flagged,
        row_number() OVER (PARTITION BY report_year, district_id, flag_1 OR flag_2 OR flag_3 ORDER BY school_year DESC) AS back
    FROM disproportionality_year
),
past AS (
    SELECT
        report_year, district_id,
        coalesce(bool_or(flagged AND school_year < report_year), FALSE) AS was_flagged,
        -- The nth flagged year, counted back, is n - 1 years ago: no year between is missing.
        count(*) FILTER (WHERE flagged AND school_year + back = report_year + 1) AS years_in_a_row
    FROM history
    GROUP BY report_year, district_id
),
compared AS (
    SELECT
        y.report_year, y.district_id, y.of_color, y.with_disabilities, y.english_learners, y.flag_1, y.flag_2, y.flag_3, y.flagged,
        h.was_flagged, h.years_in_a_row,
        coalesce(y.of_color_is_part AND b.of_color_is_part, FALSE) AS of_color_again,
        coalesce(y.with_disabilities_is_part AND b.with_disabilities_is_part, FALSE) AS with_disabilities_again,
        coalesce(y.english_learners_is_part AND b.english_learners_is_part, FALSE) AS english_learners_again,
        y.of_color - b.of_color AS of_color_change,
        y.with_disabilities - b.with_disabilities AS with_disabilities_change,
        y.english_learners - b.english_learners AS english_learners_change
    FROM history AS y
    JOIN past AS h ON h.report_year = y.report_year AND h.district_id = y.district_id
    LEFT JOIN history AS b ON b.report_year = y.report_year AND b.district_id = y.district_id AND b.school_year = y.report_year - 1
    WHERE y.school_year = y.report_year
),
repeated AS (
    SELECT *,
        CAST(of_color_again AS INT) + CAST(with_disabilities_again AS INT) + CAST(english_learners_again AS INT) AS groups_again
    FROM compared
),
demand AS (
    SELECT school_year, district_id, count(DISTINCT applicant_id) AS applications
    FROM application
    GROUP BY school_year, district_id
),
district AS (
    SELECT report_year, district_id FROM compared
    UNION
    SELECT q.report_year, a.district_id FROM requested AS q JOIN demand AS a ON a.school_year = q.report_year
    UNION
    SELECT q.report_year, a.district_id FROM requested AS q JOIN admission_procedure AS a ON a.school_year = q.report_year
)
SELECT
    d.report_year, d.district_id,
    r.of_color AS difference_students_of_color,
    r.with_disabilities AS difference_students_with_disabilities,
    r.english_learners AS difference_english_learners,
    r.flag_1, r.flag_2, r.flag_3, r.flagged,
    CASE
        WHEN r.flagged AND r.groups_again = 0 THEN 'newly_identified'
        WHEN r.flagged AND r.groups_again = 1 THEN 'one_group_repeated'
        WHEN r.flagged THEN 'several_groups_repeated'
        WHEN r.was_flagged THEN 'cleared'
        WHEN NOT r.flagged THEN 'never'
    END AS category,
    CASE WHEN r.groups_again > 0 THEN concat_ws(';',
        CASE WHEN r.english_learners_again THEN 'english_learners' END,
        CASE WHEN r.of_color_again THEN 'students_of_color' END,
        CASE WHEN r.with_disabilities_again THEN 'students_with_disabilities' END)
    END AS repeated_groups,
    CASE WHEN r.of_color_change > 0 THEN 'progress' WHEN r.of_color_change < 0 THEN 'worse' WHEN r.of_color_change = 0 THEN 'same' END
        AS progress_students_of_color,
    CASE
        WHEN r.with_disabilities_change > 0 THEN 'progress' WHEN r.with_disabilities_change < 0 THEN 'worse'
        WHEN r.with_disabilities_change = 0 THEN 'same'
    END AS progress_students_with_disabilities,
    CASE
        WHEN r.english_learners_change > 0 THEN 'progress' WHEN r.english_learners_change < 0 THEN 'worse'
        WHEN r.english_learners_change = 0 THEN 'same'
    END AS progress_english_learners,
    CAST(r.years_in_a_row AS INT) AS years_in_a_row,
    coalesce(a.applications, 0) AS applications, s.seats,
    coalesce(a.applications > s.seats, FALSE) AS in_desk_review
FROM district AS d
LEFT JOIN repeated AS r ON r.report_year = d.report_year AND r.district_id = d.district_id
LEFT JOIN demand AS a ON a.school_year = d.report_year AND a.district_id = d.district_id
LEFT JOIN admission_procedure AS s ON s.school_year = d.report_year AND s.district_id = d.district_id
ORDER BY d.report_year, d.district_id
