/*
title = "Lowest proficient level of each assessment"
grain = ["school_year", "subject", "assessment_kind"]
authority = "specification: collections, proficiency_cut"
*/
SELECT school_year, subject, assessment_kind, lowest_proficient_level
FROM lake.proficiency_cut
