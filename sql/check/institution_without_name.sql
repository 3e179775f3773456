/*
title = "An institution without a name"
grain = ["example"]
authority = "specification: collections, Checks on the way in"
collection = "institution"
[columns]
example = "The institution and the school year"
*/
SELECT concat(i.institution_id, ' in ', i.school_year) AS example
FROM institution AS i
WHERE i.institution_name IS NULL
ORDER BY i.institution_id, i.school_year
