/*
title = "The codes under which a placement is counted, by its kind and flags"
grain = ["placement_kind", "high_skill", "high_wage", "group_code"]
authority = "specification: outputs, performance, placement rows"
[columns]
group_code = "Code of the group kind placement"
*/
WITH flag AS (
    SELECT * FROM (VALUES (FALSE), (TRUE)) AS listed (is_set)
)
SELECT g.placement_kind, s.is_set AS high_skill, w.is_set AS high_wage, g.group_code
FROM flag AS s
CROSS JOIN flag AS w
CROSS JOIN reference.placement_group AS g
WHERE g.flag IS NULL OR (g.flag = 'high_skill' AND s.is_set) OR (g.flag = 'high_wage' AND w.is_set)
