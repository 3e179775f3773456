/*
title = "The state's figures of every indicator, of the years asked for and the year before each"
grain = ["report_year", "indicator", "group_kind", "group_code"]
authority = "specification: federal-report, form 3"
[columns]
status = "met, within_90 or below_90; compared in whole numbers"
hundredths = "The rate in hundredths of a percent, rounded half up: the actual level with two decimals"
*/
SELECT f.report_year, f.indicator, f.group_kind, f.group_code, f.numerator, f.denominator, f.rate, f.target, f.status,
    (f.numerator * 20000 + f.denominator) / (2 * f.denominator) AS hundredths
FROM report_year AS y
JOIN figure AS f ON f.report_year = y.report_year
WHERE y.has_groups AND f.level = 'state'
