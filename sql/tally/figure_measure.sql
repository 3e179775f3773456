/*
title = "Measures with the order of their indicator and of their own group"
grain = ["measure"]
authority = "specification: outputs, performance: sorted by its key"
[columns]
measure = "Number of the measure"
mask = "Its bit"
indicator_order = "Rank of the indicator by id"
group_order = "Order of the group of a breakdown; null for an indicator itself"
*/
SELECT m.measure, m.mask, m.indicator, dense_rank() OVER (ORDER BY m.indicator) AS indicator_order, g.group_order
FROM measure AS m
LEFT JOIN figure_group AS g ON g.group_kind = m.group_kind AND g.group_code = m.group_code
