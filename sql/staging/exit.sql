/*
title = "Exits from secondary education, with their year"
grain = ["school_year", "student_key"]
authority = "specification: indicators, Exits; collections, codes of exit_kind"
[columns]
student_key = "Stable whole number that stands for student_id"
exit_date = "The date given, else 30 June of the school year"
exit_year = "1 September Z-1 to 31 August Z is year Z; without a date, the school year"
exit_quarter = "Calendar quarter of exit_date, counted on: 4 times the year and the quarter less one"
is_diploma = "A diploma: such an exit always stands"
is_removal = "Takes the student out of the graduation cohort"
*/
SELECT
    school_year, student_key, institution_id, exit_kind,
    coalesce(exit_date, make_date(school_year, 6, 30)) AS exit_date,
    CASE WHEN exit_date IS NULL THEN school_year
         ELSE CAST(date_part('year', exit_date) + CASE WHEN date_part('month', exit_date) >= 9 THEN 1 ELSE 0 END AS INT)
    END AS exit_year,
    CASE WHEN exit_date IS NULL THEN school_year * 4 + 1
         ELSE CAST(date_part('year', exit_date) * 4 + date_part('quarter', exit_date) - 1 AS INT)
    END AS exit_quarter,
    exit_kind IN ('regular_diploma', 'modified_diploma', 'alternate_diploma', 'postgraduate_scholar') AS is_diploma,
    exit_kind IN ('transferred_out', 'emigrated', 'deceased') AS is_removal
FROM lake.exit
