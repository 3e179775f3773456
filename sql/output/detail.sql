/*
title = "Detail: Oregon's ADI Detail report"
description = """
One row for each student and program, in the order of their ids: the 49 columns A to AW of the Oregon guide, in its order. None of them is the program's id, so
of two programs of one name at a school only the order tells the rows apart, and there is no key. Startup programs are here too."""
grain = ["report_year", "reporting_secure_student_id", "attending_school_institution_id", "cte_program_name"]
without_key = true
authority = "Oregon guide, Report: ADI - Detail Tab; specification: outputs, detail"
restricted = true
[columns]
report_year = "Report year: 2024 is 1 July 2023 to 30 June 2024"
reporting_year = "A: the report year"
reporting_secure_student_id = "B: the student"
legal_first_name = "C: Legal first name"
legal_last_name = "D: Legal last name"
date_of_birth = "E: Date of birth"
enrolled_grade_code = "F: grade of the latest enrollment below postsecondary (of a college's program: of any); those in 1S1, 1S2 or 3S1 are listed as 12, or their final grade if they left before"
cte_subgrantee_name = "G: the grantee"
attending_district_institution_id = "H: district of the school that gives the program"
attending_district_institution_name = "I: Name of the district"
attending_school_institution_id = "J: the institution that gives the program"
attending_school_institution_name = "K: Name of the institution"
cte_program_name = "L: Name of the program"
cip_code = "M: CIP code, NN.NNNN"
non_traditional_enrollee_flag = "N: the field is nontraditional for the student"
school_year_credits_earned_in_this_program = "O: credits passed in the report year"
total_credits_earned_in_this_program = "P: Credits passed in this program"
total_intermediate_or_advanced_credits_earned_in_this_program = "Q: Of these, intermediate or advanced"
cte_enrollment_status = "R: enrollee, participant or concentrator"
primary_program_flag = "S: The student's primary program of the level"
enrolled_school_year = "T: last school year with a course or program enrollment"
left_hs_school_year = "U: year of the last exit that stands"
gender = "V: Gender"
race_ethnicity = "W: Race or ethnicity"
student_with_disabilities = "X: Individual with a disability"
english_learners_flag = "Y: English learner"
economically_disadvantaged_flag = "Z: Economically disadvantaged"
parenting = "AA: single parent, pregnant or parenting"
migrant_education_flag = "AB: Migrant education"
section_504 = "AC: Section 504"
foster_care_flag = "AD: In foster care"
ever_foster_care_flag = "AE: Ever in foster care"
homeless_flag = "AF: Homeless"
military_connected_flag = "AG: a parent in the armed forces, active or not"
indicator_1s1_four_year_graduation_rate_denominator = "AH: in the denominator of 1S1"
indicator_1s1_four_year_graduation_rate_numerator = "AI: in the numerator of 1S1"
indicator_1s2_extended_graduation_rate_denominator = "AJ: in the denominator of 1S2"
indicator_1s2_extended_graduation_rate_numerator = "AK: in the numerator of 1S2"
indicator_2s1_academic_proficiency_in_reading_language_arts_denominator = "AL: in the denominator of 2S1"
indicator_2s1_academic_proficiency_in_reading_language_arts_numerator = "AM: in the numerator of 2S1"
indicator_2s2_academic_proficiency_in_mathematics_denominator = "AN: in the denominator of 2S2"
indicator_2s2_academic_proficiency_in_mathematics_numerator = "AO: in the numerator of 2S2"
indicator_2s3_academic_proficiency_in_science_denominator = "AP: in the denominator of 2S3"
indicator_2s3_academic_proficiency_in_science_numerator = "AQ: in the numerator of 2S3"
indicator_3s1_postsecondary_placement_denominator = "AR: in the denominator of 3S1"
indicator_3s1_postsecondary_placement_numerator = "AS: in the numerator of 3S1"
indicator_4s1_non_traditional_program_enrollment_denominator = "AT: in the denominator of 4S1"
indicator_4s1_non_traditional_program_enrollment_numerator = "AU: in the numerator of 4S1"
indicator_5s3_program_quality_participated_in_work_based_learning_denominator = "AV: in the denominator of 5S3"
indicator_5s3_program_quality_participated_in_work_based_learning_numerator = "AW: in the numerator of 5S3"
*/
WITH bit AS (
    SELECT
        coalesce(max(mask) FILTER (WHERE indicator = '1S1' AND group_kind IS NULL), 0) AS i1s1,
        coalesce(max(mask) FILTER (WHERE indicator = '1S2' AND group_kind IS NULL), 0) AS i1s2,
        coalesce(max(mask) FILTER (WHERE indicator = '2S1' AND group_kind IS NULL), 0) AS i2s1,
        coalesce(max(mask) FILTER (WHERE indicator = '2S2' AND group_kind IS NULL), 0) AS i2s2,
        coalesce(max(mask) FILTER (WHERE indicator = '2S3' AND group_kind IS NULL), 0) AS i2s3,
        coalesce(max(mask) FILTER (WHERE indicator = '3S1' AND group_kind IS NULL), 0) AS i3s1,
        coalesce(max(mask) FILTER (WHERE indicator = '4S1' AND group_kind IS NULL), 0) AS i4s1,
        coalesce(max(mask) FILTER (WHERE indicator = '5S3' AND group_kind IS NULL), 0) AS i5s3
    FROM measure
),
-- Who is followed after grade 12: in the denominator of 1S1, 1S2 or 3S1 with any program.
followed AS (
    SELECT DISTINCT c.report_year, c.student_key
    FROM bit AS m
    CROSS JOIN candidate AS c
    WHERE c.denominators & (m.i1s1 | m.i1s2 | m.i3s1) <> 0
)
SELECT
    s.report_year,
    s.report_year AS reporting_year,
    k.student_id AS reporting_secure_student_id,
    t.first_name AS legal_first_name,
    t.last_name AS legal_last_name,
    t.birth_date AS date_of_birth,
    CASE
        -- Those followed are listed as 12th graders, unless they left before.
        WHEN g.is_secondary AND f.student_key IS NOT NULL AND (x.exit_year IS NULL OR coalesce(e.last_secondary_grade_rank, 12) >= 12) THEN '12'
        WHEN g.is_secondary THEN CASE e.last_secondary_grade_rank WHEN 13 THEN 'SP' ELSE lpad(CAST(e.last_secondary_grade_rank AS VARCHAR), 2, '0') END
        ELSE CASE e.last_grade_rank WHEN 13 THEN 'SP' WHEN 14 THEN 'PS' ELSE lpad(CAST(e.last_grade_rank AS VARCHAR), 2, '0') END
    END AS enrolled_grade_code,
    coalesce(gn.entity_name, g.grantee_id) AS cte_subgrantee_name,
    g.district_id AS attending_district_institution_id,
    CASE WHEN g.district_id IS NOT NULL THEN coalesce(dn.entity_name, g.district_id) END AS attending_district_institution_name,
    g.institution_id AS attending_school_institution_id,
    coalesce(sn.entity_name, g.institution_id) AS attending_school_institution_name,
    g.program_name AS cte_program_name,
    g.cip_code,
    CASE WHEN s.is_nontraditional THEN 'Y' ELSE 'N' END AS non_traditional_enrollee_flag,
    CAST(s.year_credits AS DECIMAL(7, 2)) AS school_year_credits_earned_in_this_program,
    CAST(s.credits AS DECIMAL(7, 2)) AS total_credits_earned_in_this_program,
    CAST(s.advanced_credits AS DECIMAL(7, 2)) AS total_intermediate_or_advanced_credits_earned_in_this_program,
    s.status AS cte_enrollment_status,
    CASE WHEN p.program_key IS NOT NULL THEN 'Y' ELSE 'N' END AS primary_program_flag,
    s.last_school_year AS enrolled_school_year,
    x.exit_year AS left_hs_school_year,
    t.gender,
    t.race_ethnicity,
    CASE WHEN coalesce(t.individual_with_disability, FALSE) THEN 'Y' ELSE 'N' END AS student_with_disabilities,
    CASE WHEN coalesce(t.english_learner, FALSE) THEN 'Y' ELSE 'N' END AS english_learners_flag,
    CASE WHEN coalesce(t.economically_disadvantaged, FALSE) THEN 'Y' ELSE 'N' END AS economically_disadvantaged_flag,
    CASE WHEN coalesce(t.single_parent, FALSE) THEN 'Y' ELSE 'N' END AS parenting,
    CASE WHEN coalesce(t.migrant, FALSE) THEN 'Y' ELSE 'N' END AS migrant_education_flag,
    CASE WHEN coalesce(t.section_504, FALSE) THEN 'Y' ELSE 'N' END AS section_504,
    CASE WHEN coalesce(t.foster_care, FALSE) THEN 'Y' ELSE 'N' END AS foster_care_flag,
    CASE WHEN coalesce(t.ever_foster_care, FALSE) THEN 'Y' ELSE 'N' END AS ever_foster_care_flag,
    CASE WHEN coalesce(t.homeless, FALSE) THEN 'Y' ELSE 'N' END AS homeless_flag,
    CASE WHEN coalesce(t.parent_in_armed_forces, FALSE) OR coalesce(t.parent_in_active_military, FALSE) THEN 'Y' ELSE 'N' END AS military_connected_flag,
    CASE WHEN coalesce(c.denominators & m.i1s1 <> 0, FALSE) THEN 'Y' ELSE 'N' END AS indicator_1s1_four_year_graduation_rate_denominator,
    CASE WHEN coalesce(c.numerators & m.i1s1 <> 0, FALSE) THEN 'Y' ELSE 'N' END AS indicator_1s1_four_year_graduation_rate_numerator,
    CASE WHEN coalesce(c.denominators & m.i1s2 <> 0, FALSE) THEN 'Y' ELSE 'N' END AS indicator_1s2_extended_graduation_rate_denominator,
    CASE WHEN coalesce(c.numerators & m.i1s2 <> 0, FALSE) THEN 'Y' ELSE 'N' END AS indicator_1s2_extended_graduation_rate_numerator,
    CASE WHEN coalesce(c.denominators & m.i2s1 <> 0, FALSE) THEN 'Y' ELSE 'N' END AS indicator_2s1_academic_proficiency_in_reading_language_arts_denominator,
    CASE WHEN coalesce(c.numerators & m.i2s1 <> 0, FALSE) THEN 'Y' ELSE 'N' END AS indicator_2s1_academic_proficiency_in_reading_language_arts_numerator,
    CASE WHEN coalesce(c.denominators & m.i2s2 <> 0, FALSE) THEN 'Y' ELSE 'N' END AS indicator_2s2_academic_proficiency_in_mathematics_denominator,
    CASE WHEN coalesce(c.numerators & m.i2s2 <> 0, FALSE) THEN 'Y' ELSE 'N' END AS indicator_2s2_academic_proficiency_in_mathematics_numerator,
    CASE WHEN coalesce(c.denominators & m.i2s3 <> 0, FALSE) THEN 'Y' ELSE 'N' END AS indicator_2s3_academic_proficiency_in_science_denominator,
    CASE WHEN coalesce(c.numerators & m.i2s3 <> 0, FALSE) THEN 'Y' ELSE 'N' END AS indicator_2s3_academic_proficiency_in_science_numerator,
    CASE WHEN coalesce(c.denominators & m.i3s1 <> 0, FALSE) THEN 'Y' ELSE 'N' END AS indicator_3s1_postsecondary_placement_denominator,
    CASE WHEN coalesce(c.numerators & m.i3s1 <> 0, FALSE) THEN 'Y' ELSE 'N' END AS indicator_3s1_postsecondary_placement_numerator,
    CASE WHEN coalesce(c.denominators & m.i4s1 <> 0, FALSE) THEN 'Y' ELSE 'N' END AS indicator_4s1_non_traditional_program_enrollment_denominator,
    CASE WHEN coalesce(c.numerators & m.i4s1 <> 0, FALSE) THEN 'Y' ELSE 'N' END AS indicator_4s1_non_traditional_program_enrollment_numerator,
    CASE WHEN coalesce(c.denominators & m.i5s3 <> 0, FALSE) THEN 'Y' ELSE 'N' END AS indicator_5s3_program_quality_participated_in_work_based_learning_denominator,
    CASE WHEN coalesce(c.numerators & m.i5s3 <> 0, FALSE) THEN 'Y' ELSE 'N' END AS indicator_5s3_program_quality_participated_in_work_based_learning_numerator,
    (CAST(s.report_year AS BIGINT) * 134217728 + k.student_order) * 8388608 + s.program_order AS place
FROM bit AS m
CROSS JOIN requested AS q
JOIN program_as_of AS g ON g.report_year = q.report_year
JOIN student_program_status AS s ON s.report_year = g.report_year AND s.program_key = g.program_key
JOIN key.student AS k ON k.student_key = s.student_key
-- The version of the student row begins with its school year and level, see student_as_of.
JOIN student AS t ON t.student_key = s.student_key AND t.school_year * 4 + t.level_rank = s.student_version / 70368744177664
LEFT JOIN entity_name AS gn ON gn.report_year = s.report_year AND gn.level = 'grantee' AND gn.entity_id = g.grantee_id
LEFT JOIN entity_name AS dn ON dn.report_year = s.report_year AND dn.level = 'district' AND dn.entity_id = g.district_id
LEFT JOIN entity_name AS sn ON sn.report_year = s.report_year AND sn.level = 'institution' AND sn.entity_id = g.institution_id
LEFT JOIN primary_program AS p ON p.report_year = s.report_year AND p.student_key = s.student_key AND p.program_key = s.program_key
LEFT JOIN last_exit AS x ON x.report_year = s.report_year AND x.student_key = s.student_key
LEFT JOIN enrollment_as_of AS e ON e.report_year = s.report_year AND e.student_key = s.student_key
LEFT JOIN followed AS f ON f.report_year = s.report_year AND f.student_key = s.student_key
LEFT JOIN candidate AS c ON c.report_year = s.report_year AND c.student_key = s.student_key AND c.program_key = s.program_key
