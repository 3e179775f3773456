/*
title = "Students who are a concentrator in any program"
grain = ["student_key"]
authority = "specification: indicators: candidates are concentrators"
*/
SELECT DISTINCT student_key FROM concentrator
