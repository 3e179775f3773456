/*
title = "Measures of program quality of schools that no other collection gives"
grain = ["school_year", "institution_id", "measure"]
authority = "specification: collections, school_measure"
*/
SELECT school_year, institution_id, measure, numerator, denominator
FROM lake.school_measure
