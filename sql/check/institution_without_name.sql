/*
title = "An institution without a name"
grain = ["institution_id", "school_year"]
authority = "specification: collections, Checks on the way in"
collection = "institution"
[columns]
institution_id = "The institution"
school_year = "The school year"
*/
SELECT i.institution_id, i.school_year
FROM institution AS i
WHERE i.institution_name IS NULL
ORDER BY i.institution_id, i.school_year
