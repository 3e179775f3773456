/*
title = "Admission and waitlist"
description = "Applicants to CTE districts, their outcomes, seats and lottery, by group. An applicant in spring and fall is one, and so is, in one entity, a student who applied to several districts: in every outcome that any of the applications had."
grain = ["report_year", "level", "entity_id", "group_kind", "group_code"]
authority = "Massachusetts DESE, Reporting & Data Resources page (May 2026), Admission and Waitlist Collection; specification: massachusetts, Admission and waitlist"
restricted = true
[columns]
report_year = "School year of entry: 2024 is 1 July 2023 to 30 June 2024"
level = "state, district, institution or program applied to"
entity_id = "Id of the entity; for the state, the jurisdiction's code"
group_kind = "all, gender, race_ethnicity or special_population; of applicants who are no known student, only all"
group_code = "Code of the group"
applicants = "Applicants, each once"
offered = "Outcome offered, accepted or declined"
accepted = "Outcome accepted"
declined = "Outcome declined"
waitlisted = "Outcome waitlisted: the length of the waitlist"
enrolled = "Accepted, and in enrollment of the year of entry, at any school"
offer_rate = "100 times offered by applicants"
acceptance_rate = "100 times accepted by offered; null without an offer"
seats = "Seats open to new students; districts only"
applicants_per_seat = "applicants by seats; districts only"
spring_applicants = "Applicants with a row of the spring round"
fall_applicants = "Applicants with a row of the fall round"
lottery = "Kind of lottery of the district applied to; null for the state"
apportionment = "Whether the district applied to apportions seats among its towns; null for the state"
*/
WITH placed AS (
    SELECT
        a.report_year, v.level, a.district_id, a.person, a.groups,
        CASE v.level WHEN 'state' THEN j.code WHEN 'district' THEN a.district_id WHEN 'institution' THEN a.institution_id ELSE a.program_id END AS entity_id,
        -- Bits: 0 offered, 1 accepted, 2 declined, 3 waitlisted, 4 enrolled, 5 in spring, 6 in fall.
        CASE a.outcome WHEN 'offered' THEN 1 WHEN 'accepted' THEN 3 WHEN 'declined' THEN 5 WHEN 'waitlisted' THEN 8 ELSE 0 END
            + CASE WHEN a.is_enrolled THEN 16 ELSE 0 END
            + CASE WHEN a.in_spring THEN 32 ELSE 0 END
            + CASE WHEN a.in_fall THEN 64 ELSE 0 END AS met
    FROM jurisdiction AS j
    CROSS JOIN (VALUES ('state'), ('district'), ('institution'), ('program')) AS v (level)
    CROSS JOIN applicant AS a
),
counted AS (
    SELECT
        report_year, level, entity_id,
        CASE WHEN level <> 'state' AND min(district_id) = max(district_id) THEN min(district_id) END AS district_id,
        unnest(tally(person, CAST(127 AS BIGINT), met, groups)) AS figure
    FROM placed
    WHERE entity_id IS NOT NULL
    GROUP BY report_year, level, entity_id
),
long AS (
    SELECT
        report_year, level, entity_id, district_id, figure['group_bit'] AS group_bit, figure['measure'] AS measure,
        figure['numerator'] AS students, figure['denominator'] AS applicants
    FROM counted
),
wide AS (
    SELECT
        report_year, level, entity_id, district_id, group_bit, max(applicants) AS applicants,
        sum(students) FILTER (WHERE measure = 0) AS offered,
        sum(students) FILTER (WHERE measure = 1) AS accepted,
        sum(students) FILTER (WHERE measure = 2) AS declined,
        sum(students) FILTER (WHERE measure = 3) AS waitlisted,
        sum(students) FILTER (WHERE measure = 4) AS enrolled,
        sum(students) FILTER (WHERE measure = 5) AS spring_applicants,
        sum(students) FILTER (WHERE measure = 6) AS fall_applicants
    FROM long
    GROUP BY report_year, level, entity_id, district_id, group_bit
)
SELECT
    w.report_year, w.level, w.entity_id, g.group_kind, g.group_code, w.applicants, w.offered, w.accepted, w.declined, w.waitlisted, w.enrolled,
    CAST(100 * w.offered AS DOUBLE) / CAST(w.applicants AS DOUBLE) AS offer_rate,
    CAST(100 * w.accepted AS DOUBLE) / CAST(nullif(w.offered, 0) AS DOUBLE) AS acceptance_rate,
    CASE w.level WHEN 'district' THEN s.seats END AS seats,
    CASE w.level WHEN 'district' THEN CAST(w.applicants AS DOUBLE) / CAST(nullif(s.seats, 0) AS DOUBLE) END AS applicants_per_seat,
    w.spring_applicants, w.fall_applicants, s.lottery, s.apportionment
FROM wide AS w
JOIN student_group AS g ON g.group_bit = w.group_bit
LEFT JOIN admission_procedure AS s ON s.school_year = w.report_year AND s.district_id = w.district_id
ORDER BY w.report_year, w.level, w.entity_id, g.group_kind, g.group_code
