/*
title = "Scores"
grain = ["report_year", "student_key", "part", "place"]
authority = "specification: indicators, 2S1 to 2S3: a valid score has valid_score yes, a level, and a proficiency cut for its year, subject and kind"
order = 60
[columns]
part = "The subject"
place = "Order of the sentences"
sentence = "In words"
*/
SELECT a.report_year, s.student_key, s.subject AS part, s.school_year AS place,
    concat(replace(CAST(s.subject AS VARCHAR), '_', ' '), ' ', s.school_year, ', ', CAST(s.assessment_kind AS VARCHAR), ': ',
        CASE
            WHEN NOT s.valid_score THEN 'not a valid score'
            WHEN s.performance_level IS NULL THEN 'no level, so not a valid score'
            WHEN c.lowest_proficient_level IS NULL THEN concat('level ', s.performance_level, ', but no proficiency cut is known, so not a valid score')
            ELSE concat('level ', s.performance_level, ', lowest proficient level ', c.lowest_proficient_level)
        END) AS sentence
FROM assessment AS s
JOIN as_of AS a ON a.school_year = s.school_year
LEFT JOIN proficiency_cut AS c ON c.school_year = s.school_year AND c.subject = s.subject AND c.assessment_kind = s.assessment_kind
UNION ALL
SELECT report_year, student_key, subject AS part, 9999 AS place,
    concat(replace(CAST(subject AS VARCHAR), '_', ' '), ', latest year with a valid score: ', score_year,
        CASE WHEN is_proficient THEN ', proficient' ELSE ', not proficient' END) AS sentence
FROM academic_score
UNION ALL
-- Where the rule takes students by their last exit, that decides as well.
SELECT c.report_year, c.student_key, u.subject AS part, 10000 AS place,
    CASE
        WHEN c.exit_year IS NULL THEN 'the rule asks for a last exit in the report year, but no exit stands'
        ELSE concat('the rule asks for a last exit in the report year: it was on ', CAST(c.exit_date AS VARCHAR), ' (exit year ', c.exit_year, ')',
            CASE WHEN c.is_removed THEN ', which removes the student from the cohort' ELSE '' END)
    END AS sentence
FROM (SELECT DISTINCT report_year, student_key, exit_date, exit_year, is_removed FROM secondary_concentrator) AS c
JOIN rule AS r ON r.report_year = c.report_year
CROSS JOIN reference.academic_subject AS u
WHERE r.academic_population = 'last_exit'
