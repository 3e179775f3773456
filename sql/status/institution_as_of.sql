/*
title = "The latest row of each institution as of the report year"
grain = ["report_year", "institution_id"]
authority = "specification: indicators, Status: the institution's names, district and grantee are those of its latest row"
*/
SELECT a.report_year, i.institution_id, i.institution_name, i.education_level, i.district_id, i.grantee_id
FROM institution AS i
JOIN as_of AS a ON a.school_year = i.school_year
QUALIFY row_number() OVER (PARTITION BY a.report_year, i.institution_id ORDER BY i.school_year DESC) = 1
