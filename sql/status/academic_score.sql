/*
title = "The latest year with a valid score in a subject as of the report year, and whether it was proficient"
grain = ["report_year", "student_key", "subject"]
authority = "specification: indicators, 2S1 to 2S3: a valid score has valid_score yes, a level, and a proficiency cut for its year, subject and kind"
[columns]
score_year = "Latest school year with a valid score"
is_proficient = "A score of that year, general or alternate, at or above the lowest proficient level"
*/
WITH scored AS (
    SELECT s.student_key, s.subject, s.school_year, bool_or(s.performance_level >= c.lowest_proficient_level) AS is_proficient
    FROM assessment AS s
    LEFT SEMI JOIN concentrator_student AS t ON t.student_key = s.student_key
    JOIN proficiency_cut AS c ON c.school_year = s.school_year AND c.subject = s.subject AND c.assessment_kind = s.assessment_kind
    WHERE s.valid_score AND s.performance_level IS NOT NULL
    GROUP BY s.student_key, s.subject, s.school_year
),
latest AS (
    SELECT a.report_year, s.student_key, s.subject, max(s.school_year * 2 + CASE WHEN s.is_proficient THEN 1 ELSE 0 END) AS version
    FROM scored AS s
    JOIN as_of AS a ON a.school_year = s.school_year
    GROUP BY a.report_year, s.student_key, s.subject
)
SELECT report_year, student_key, subject, CAST(version / 2 AS INT) AS score_year, version % 2 = 1 AS is_proficient
FROM latest
