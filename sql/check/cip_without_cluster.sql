/*
title = "A CIP without a career cluster"
grain = ["cip_code"]
authority = "specification: collections, Checks on the way in; indicators, Career clusters: counted as other"
collection = "program"
[columns]
cip_code = "The CIP code"
*/
SELECT DISTINCT CAST(p.cip_code AS VARCHAR) AS cip_code
FROM program AS p
LEFT JOIN crosswalk AS c ON c.cip_code IN (p.cip_code, substr(p.cip_code, 1, 5), substr(p.cip_code, 1, 2))
WHERE p.career_cluster IS NULL AND c.cip_code IS NULL
ORDER BY cip_code
