/*
title = "Graduate follow-up"
description = "What the graduates of the school year before were found to do: response rate, placement rate and the outcomes, by group."
grain = ["report_year", "level", "entity_id", "group_kind", "group_code"]
authority = "Massachusetts DESE, Reporting & Data Resources page (May 2026), Graduate Follow-Up Results Collection; specification: massachusetts, Graduate follow-up"
restricted = true
[columns]
report_year = "Report year whose 3S1 the follow-up feeds: the year after the school year of graduation"
level = "state, district, institution or program: by the program followed up for, else by the exit"
entity_id = "Id of the entity; for the state, the jurisdiction's code"
group_kind = "all, gender, race_ethnicity or special_population"
group_code = "Code of the group"
graduates = "Graduates, each once"
responded = "Of these, with any outcome but unknown"
response_rate = "100 times responded by graduates"
placed = "Employed, in an apprenticeship, college or other postsecondary education, the military or service"
placement_rate = "100 times placed by graduates"
employed_related = "Employed in a field related to the program"
employed_unrelated = "Employed in another field"
apprenticeship = "In a registered apprenticeship"
four_year_college = "In a four-year college"
two_year_college = "In a two-year college"
other_postsecondary = "In other postsecondary education"
military = "In the military"
service = "In national or community service"
unemployed = "Unemployed"
other = "Another outcome, no placement"
unknown = "Not known: no response"
*/
WITH placed AS (
    SELECT
        a.report_year, v.level, a.student_key, a.groups, CAST(1 AS BIGINT) << CAST(o.place AS BIGINT) AS met,
        CASE v.level WHEN 'state' THEN j.code WHEN 'district' THEN a.district_id WHEN 'institution' THEN a.institution_id ELSE a.program_id END AS entity_id
    FROM jurisdiction AS j
    CROSS JOIN (VALUES ('state'), ('district'), ('institution'), ('program')) AS v (level)
    CROSS JOIN graduate AS a
    JOIN reference.follow_up_outcome AS o ON o.outcome = a.outcome
),
counted AS (
    SELECT report_year, level, entity_id, unnest(tally(student_key, CAST(2047 AS BIGINT), met, groups)) AS figure
    FROM placed
    WHERE entity_id IS NOT NULL
    GROUP BY report_year, level, entity_id
),
long AS (
    SELECT
        c.report_year, c.level, c.entity_id, c.figure['group_bit'] AS group_bit, o.outcome, o.placement_kind, o.is_response,
        c.figure['numerator'] AS students, c.figure['denominator'] AS graduates
    FROM counted AS c
    JOIN reference.follow_up_outcome AS o ON CAST(o.place AS INT) = c.figure['measure']
),
wide AS (
    SELECT
        report_year, level, entity_id, group_bit, max(graduates) AS graduates,
        sum(students) FILTER (WHERE is_response = 'true') AS responded,
        sum(students) FILTER (WHERE placement_kind IS NOT NULL) AS placed,
        sum(students) FILTER (WHERE outcome = 'employed_related') AS employed_related,
        sum(students) FILTER (WHERE outcome = 'employed_unrelated') AS employed_unrelated,
        sum(students) FILTER (WHERE outcome = 'apprenticeship') AS apprenticeship,
        sum(students) FILTER (WHERE outcome = 'four_year_college') AS four_year_college,
        sum(students) FILTER (WHERE outcome = 'two_year_college') AS two_year_college,
        sum(students) FILTER (WHERE outcome = 'other_postsecondary') AS other_postsecondary,
        sum(students) FILTER (WHERE outcome = 'military') AS military,
        sum(students) FILTER (WHERE outcome = 'service') AS service,
        sum(students) FILTER (WHERE outcome = 'unemployed') AS unemployed,
        sum(students) FILTER (WHERE outcome = 'other') AS other,
        sum(students) FILTER (WHERE outcome = 'unknown') AS unknown
    FROM long
    GROUP BY report_year, level, entity_id, group_bit
)
SELECT
    w.report_year, w.level, w.entity_id, g.group_kind, g.group_code, w.graduates, w.responded,
    CAST(100 * w.responded AS DOUBLE) / CAST(w.graduates AS DOUBLE) AS response_rate,
    w.placed,
    CAST(100 * w.placed AS DOUBLE) / CAST(w.graduates AS DOUBLE) AS placement_rate,
    w.employed_related, w.employed_unrelated, w.apprenticeship, w.four_year_college, w.two_year_college, w.other_postsecondary,
    w.military, w.service, w.unemployed, w.other, w.unknown
FROM wide AS w
JOIN student_group AS g ON g.group_bit = w.group_bit
ORDER BY w.report_year, w.level, w.entity_id, g.group_kind, g.group_code
