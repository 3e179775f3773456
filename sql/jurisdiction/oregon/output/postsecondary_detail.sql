/*
title = "Postsecondary detail: the students behind each institution's figures"
description = """
One row for each student and program of a postsecondary institution and each postsecondary indicator: who qualified for the denominator and the numerator, with
the status in the program. Startup programs are here too. A row whose student had no course or program enrollment in the program in the report year or the
year before, and is no candidate of the indicator, is left out. The Perkins Performance Workbooks are drawn from it."""
grain = ["report_year", "institution_id", "indicator", "student_id", "program_id"]
authority = "Oregon guide, Perkins Performance Workbooks (by-indicator, the students who qualified for the denominator and numerator); Aggregation by Institution (startup programs)"
restricted = true
[columns]
report_year = "Report year: 2024 is 1 July 2023 to 30 June 2024"
institution_id = "The college that gives the program"
institution_name = "Name of the institution"
indicator = "Id of the indicator, such as 1P1"
indicator_title = "Name of the indicator"
status = "enrollee, participant or concentrator as of the report year"
credits = "Credits passed in the program"
cte_specific_credits = "Of these, CTE-specific"
first_school_year = "First school year with a course or program enrollment"
last_school_year = "Last school year with a course or program enrollment"
is_primary = "Y if it is the student's primary program of the level"
is_nontraditional = "Y if the field is nontraditional for the student"
career_clusters = "Career clusters of the program, joined by ;"
special_populations = "Special populations of the student, joined by ;"
denominator = "Y if the student qualified for the denominator in this program"
numerator = "Y if the student qualified for the numerator in this program"
exclusion = "Why not in the denominator; null in the denominator, and for who is no concentrator in the program"
counted_in_denominator = "1 in the one row in which the institution's denominator counts the student, else 0"
counted_in_numerator = "1 in the one row in which the institution's numerator counts the student, else 0"
counted_groups = "Career clusters, kinds of placement and the program for which the row counts the student at the institution, as kind:code joined by ;. A student with two programs of a cluster counts in it once."
*/
WITH asked AS (
    SELECT q.report_year, i.indicator, i.title
    FROM requested AS q
    JOIN indicator AS i ON i.report_year = q.report_year
    WHERE i.education_level = 'postsecondary'
),
listed AS (
    SELECT
        a.report_year, a.indicator, a.title, g.institution_id, g.institution_name, s.student_key, s.program_key, s.program_order, g.program_id, g.program_name,
        g.cip_code, s.approval, s.status, s.credits, s.cte_specific_credits, s.first_school_year, s.last_school_year, s.is_nontraditional, s.student_version, s.groups,
        coalesce(m.denominator, FALSE) AS denominator, coalesce(m.numerator, FALSE) AS numerator, m.exclusion
    FROM asked AS a
    JOIN program_as_of AS g ON g.report_year = a.report_year AND g.education_level = 'postsecondary'
    JOIN student_program_status AS s ON s.report_year = g.report_year AND s.program_key = g.program_key
    LEFT JOIN membership AS m
        ON m.report_year = s.report_year AND m.indicator = a.indicator AND m.student_key = s.student_key AND m.program_key = s.program_key
    WHERE s.last_school_year >= s.report_year - 1 OR m.student_key IS NOT NULL
),
-- Everything that a row may count for, as its figures do: each student once for each. Concentrators' groups are those of the figures.
candidate_group AS (
    SELECT l.report_year, l.indicator, l.institution_id, l.student_key, l.program_key, l.program_order, l.numerator, 'career_cluster' AS group_kind, k.career_cluster AS group_code
    FROM listed AS l
    JOIN program_cluster AS k ON k.report_year = l.report_year AND k.program_key = l.program_key
    WHERE l.denominator
    UNION ALL
    SELECT l.report_year, l.indicator, l.institution_id, l.student_key, l.program_key, l.program_order, TRUE, m.group_kind, m.group_code
    FROM listed AS l
    JOIN candidate AS c ON c.report_year = l.report_year AND c.student_key = l.student_key AND c.program_key = l.program_key
    JOIN measure AS m ON m.indicator = l.indicator AND m.group_kind IS NOT NULL AND c.breakdown_numerators & m.mask <> 0
    WHERE l.denominator
    UNION ALL
    SELECT report_year, indicator, institution_id, student_key, program_key, program_order, numerator, 'program', program_id
    FROM listed
    WHERE denominator
),
-- Of a student's rows of the institution for a group, the one that counts: one in the numerator first, then by program. As one number: whether
-- in the numerator, then the program's order.
counted_group AS (
    SELECT report_year, indicator, institution_id, student_key, group_kind, group_code,
        min(CASE WHEN numerator THEN 0 ELSE 8388608 END + program_order) % 8388608 AS program_order
    FROM candidate_group
    GROUP BY report_year, indicator, institution_id, student_key, group_kind, group_code
),
counted_groups AS (
    SELECT report_year, indicator, student_key, program_order,
        string_agg(concat(group_kind, ':', group_code), ';' ORDER BY group_kind, group_code) AS labels
    FROM counted_group
    GROUP BY report_year, indicator, student_key, program_order
),
-- The row in which the institution's figures count the student.
counted AS (
    SELECT report_year, indicator, institution_id, student_key,
        min(CASE WHEN numerator THEN 0 ELSE 8388608 END + program_order) % 8388608 AS program_order
    FROM listed
    WHERE denominator
    GROUP BY report_year, indicator, institution_id, student_key
),
grouped AS (
    SELECT l.*, coalesce(c.groups, l.groups) AS all_groups
    FROM listed AS l
    LEFT JOIN concentrator AS c ON c.report_year = l.report_year AND c.student_key = l.student_key AND c.program_key = l.program_key
),
-- By mask, of which there are few.
special AS (
    SELECT l.groups, string_agg(g.group_code, ';' ORDER BY g.group_bit) AS labels
    FROM (SELECT DISTINCT all_groups AS groups FROM grouped) AS l
    JOIN student_group AS g ON g.group_kind = 'special_population' AND l.groups & g.mask <> 0
    GROUP BY l.groups
),
cluster AS (
    SELECT report_year, program_key, string_agg(career_cluster, ';' ORDER BY career_cluster) AS labels
    FROM program_cluster
    GROUP BY report_year, program_key
)
SELECT
    n.report_year, n.institution_id, coalesce(e.entity_name, n.institution_id) AS institution_name, n.indicator, n.title AS indicator_title,
    -- As text: a sort would copy the texts of codes.
    CAST(k.student_id AS VARCHAR) AS student_id, t.first_name, t.last_name, t.birth_date,
    n.program_id, n.program_name, n.cip_code, c.labels AS career_clusters, n.approval, n.status,
    CAST(n.credits AS DECIMAL(7, 2)) AS credits, CAST(n.cte_specific_credits AS DECIMAL(7, 2)) AS cte_specific_credits,
    n.first_school_year, n.last_school_year,
    CASE WHEN p.program_key IS NOT NULL THEN 'Y' ELSE 'N' END AS is_primary,
    CASE WHEN n.is_nontraditional THEN 'Y' ELSE 'N' END AS is_nontraditional,
    t.gender, t.race_ethnicity, s.labels AS special_populations,
    CASE WHEN n.denominator THEN 'Y' ELSE 'N' END AS denominator,
    CASE WHEN n.numerator THEN 'Y' ELSE 'N' END AS numerator,
    n.exclusion,
    CASE WHEN d.student_key IS NOT NULL THEN 1 ELSE 0 END AS counted_in_denominator,
    CASE WHEN n.numerator AND d.student_key IS NOT NULL THEN 1 ELSE 0 END AS counted_in_numerator,
    g.labels AS counted_groups
FROM grouped AS n
JOIN key.student AS k ON k.student_key = n.student_key
-- The version of the student row begins with its school year and level, see student_as_of.
JOIN student AS t ON t.student_key = n.student_key AND t.school_year * 4 + t.level_rank = n.student_version / 70368744177664
LEFT JOIN entity_name AS e ON e.report_year = n.report_year AND e.level = 'institution' AND e.entity_id = n.institution_id
LEFT JOIN cluster AS c ON c.report_year = n.report_year AND c.program_key = n.program_key
LEFT JOIN primary_program AS p ON p.report_year = n.report_year AND p.student_key = n.student_key AND p.program_key = n.program_key
LEFT JOIN special AS s ON s.groups = n.all_groups
LEFT JOIN counted_groups AS g
    ON g.report_year = n.report_year AND g.indicator = n.indicator AND g.student_key = n.student_key AND g.program_order = n.program_order
LEFT JOIN counted AS d
    ON d.report_year = n.report_year AND d.indicator = n.indicator AND d.institution_id = n.institution_id AND d.student_key = n.student_key
    AND d.program_order = n.program_order
ORDER BY n.report_year, n.institution_id, n.indicator, k.student_order, n.program_order
