/*
title = "Career clusters and nontraditional gender of each CIP code"
grain = ["cip_code", "career_cluster"]
authority = "specification: collections, crosswalk"
*/
SELECT cip_code, career_cluster, nontraditional_for
FROM lake.crosswalk
