/*
title = "The masks of the groups that rules ask for, in one row"
grain = []
authority = "design: a student's groups are one bit mask"
[columns]
female = "Mask of gender F"
male = "Mask of gender M"
nonbinary = "Mask of gender X"
nontraditional = "Mask of the special population nontraditional"
migrant = "Mask of the special population migrant"
*/
SELECT
    max(mask) FILTER (WHERE group_kind = 'gender' AND group_code = 'F') AS female,
    max(mask) FILTER (WHERE group_kind = 'gender' AND group_code = 'M') AS male,
    max(mask) FILTER (WHERE group_kind = 'gender' AND group_code = 'X') AS nonbinary,
    max(mask) FILTER (WHERE group_kind = 'special_population' AND group_code = 'nontraditional') AS nontraditional,
    max(mask) FILTER (WHERE group_kind = 'special_population' AND group_code = 'migrant') AS migrant
FROM student_group
