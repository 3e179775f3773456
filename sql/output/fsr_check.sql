/*
title = "Checks of the subaward forms and Financial Status Reports"
description = """
What the guide asks of the forms II.C and III.B, checked on the forms that were handed over: a row also for what passed, and for what can't be checked because the
other side of the comparison was not handed over. \"Funds made available\" are the funds authorized, column 10. Amounts compare exactly."""
grain = ["report_year", "form", "check", "line"]
authority = "Federal CAR guide (January 2025), pages 12 to 14 and 18 to 22; specification: federal-report, Subawards and financial status reports"
restricted = true
[columns]
report_year = "Program year: 2024 is 1 July 2023 to 30 June 2024"
form = "interim or final Financial Status Report; 131 or 132, the subaward form of the section"
check = "Id of the check"
line = "Row of a Financial Status Report, or column of a subaward form"
severity = "error: the guide forbids it; warning: a person must look"
title = "What must hold"
found = "The amount, or the number of recipients, that was found"
comparison = "at_most, at_least or equal: how found must be to the limit"
limit_value = "The limit, exactly"
status = "passed, failed or not_applicable"
examples = "The first five recipients or consortia at fault, joined by ;"
authority = "Who asks for it, and where"
*/
WITH report AS (
    SELECT
        report_year, report,
        max(CASE WHEN row = 'C' THEN funds_authorized END) AS reserve,
        max(CASE WHEN row = 'D' THEN funds_authorized END) AS secondary_formula,
        max(CASE WHEN row = 'E' THEN funds_authorized END) AS postsecondary_formula,
        max(CASE WHEN row = 'G' THEN funds_authorized END) AS local_distribution,
        max(CASE WHEN row = 'H' THEN funds_authorized END) AS state_institutions,
        max(CASE WHEN row = 'I' THEN funds_authorized END) AS nontraditional,
        max(CASE WHEN row = 'J' THEN funds_authorized END) AS recruitment,
        max(CASE WHEN row = 'L' THEN funds_authorized END) AS leadership,
        max(CASE WHEN row = 'M' THEN funds_authorized END) AS administration,
        max(CASE WHEN row = 'M' THEN non_federal_share END) AS administration_non_federal,
        max(CASE WHEN row = 'M' THEN federal_share END) AS administration_federal,
        max(CASE WHEN row = 'N' THEN funds_authorized END) AS total,
        max(CASE WHEN row = 'N' THEN non_federal_share END) AS total_non_federal
    FROM fsr_line
    GROUP BY report_year, report
),
awarded AS (
    SELECT
        report_year,
        sum(CASE WHEN section = '131' THEN final_award ELSE 0 END) AS secondary_awards,
        sum(CASE WHEN section = '132' THEN final_award ELSE 0 END) AS postsecondary_awards
    FROM subaward_line
    GROUP BY report_year
),
effort AS (
    SELECT program_year, CAST(sum(non_federal_share) AS DECIMAL(18, 2)) AS non_federal
    FROM outlay
    WHERE report = 'interim'
    GROUP BY program_year
),
limited AS (
    SELECT
        t.*, r.car_instrument AS instrument, w.secondary_awards, w.postsecondary_awards,
        a.award_amount AS allocation,
        t.local_distribution * r.fsr_reserve_percent * h.hundredth AS reserve_limit,
        a.award_amount * r.fsr_local_percent * h.hundredth AS local_limit,
        a.award_amount * r.fsr_state_institutions_percent * h.hundredth AS state_institutions_limit,
        r.fsr_nontraditional_minimum AS nontraditional_minimum,
        r.fsr_nontraditional_maximum AS nontraditional_maximum,
        t.leadership * r.fsr_recruitment_percent * h.hundredth AS recruitment_share,
        r.fsr_recruitment_amount AS recruitment_amount,
        a.award_amount * r.fsr_leadership_percent * h.hundredth AS leadership_limit,
        a.award_amount * r.fsr_administration_percent * h.hundredth AS administration_share,
        -- Without an allocation there is no share that it could be the greater of.
        CASE WHEN a.award_amount IS NOT NULL THEN r.fsr_administration_amount END AS administration_amount,
        t.administration_federal * r.fsr_administration_match_percent * h.hundredth AS match_limit,
        e.non_federal * r.fsr_maintenance_of_effort_percent * h.hundredth AS effort_limit
    FROM report AS t
    -- A number with a dot is a float in the engine; from a text it is exact.
    CROSS JOIN (SELECT CAST('0.01' AS DECIMAL(3, 2)) AS hundredth) AS h
    JOIN rule AS r ON r.report_year = t.report_year
    LEFT JOIN allocation AS a ON a.program_year = t.report_year
    LEFT JOIN awarded AS w ON w.report_year = t.report_year
    LEFT JOIN effort AS e ON e.program_year = t.report_year - 1
),
-- The rows of the form, beside what was handed over for them.
form_row AS (
    SELECT
        f.report_year, f.report, f.row, f.kind, r.car_instrument AS instrument, f.balance, f.unliquidated_obligations,
        CASE WHEN o.program_year IS NULL THEN 0 ELSE 1 END AS is_reported,
        o.previously_reported,
        b.net_outlays AS carried
    FROM fsr_line AS f
    JOIN rule AS r ON r.report_year = f.report_year
    LEFT JOIN outlay AS o ON o.program_year = f.report_year AND o.report = f.report AND o.row = f.row
    LEFT JOIN fsr_line AS b ON b.report_year = f.report_year AND b.report = 'interim' AND b.row = f.row
),
judged AS (
    SELECT report_year, section, 'federal_id' AS check, recipient_id AS subject,
        NOT regexp_like(federal_id, '^[0-9]+$') OR character_length(federal_id) <> federal_id_digits AS is_wrong
    FROM subaward_line
    UNION ALL
    SELECT report_year, section, 'consortium_code', recipient_id, consortium_code > last_consortium_code
    FROM subaward_line
    UNION ALL
    SELECT report_year, section, 'consortium_id', recipient_id, (consortium_code > 0) <> (consortium_id IS NOT NULL)
    FROM subaward_line
    UNION ALL
    SELECT report_year, section, 'agent_is_member', recipient_id, is_fiscal_agent AND consortium_code = 0
    FROM subaward_line
    UNION ALL
    SELECT report_year, section, 'member_award', recipient_id, NOT is_fiscal_agent AND given_award <> 0
    FROM subaward_line
    WHERE consortium_code > 0
    UNION ALL
    SELECT report_year, section, 'one_fiscal_agent', consortium_id, sum(CASE WHEN is_fiscal_agent THEN 1 ELSE 0 END) <> 1
    FROM subaward_line
    WHERE consortium_code > 0 AND consortium_id IS NOT NULL
    GROUP BY report_year, section, consortium_id
),
judged_in_order AS (
    SELECT *, row_number() OVER (PARTITION BY report_year, section, check, is_wrong ORDER BY subject) AS nth
    FROM judged
),
counted AS (
    SELECT
        report_year, section, check,
        sum(CASE WHEN is_wrong THEN 1 ELSE 0 END) AS wrong,
        string_agg(CASE WHEN is_wrong AND nth <= 5 THEN subject END, ';' ORDER BY nth) AS examples
    FROM judged_in_order
    GROUP BY report_year, section, check
),
section AS (
    SELECT DISTINCT report_year, section
    FROM subaward_line
),
-- What was found, and the limit; one that is null can't be checked.
measured AS (
    SELECT
        t.report_year, t.report AS form, d.check, d.line,
        CASE d.check
            WHEN 'reserve_share' THEN t.reserve
            WHEN 'local_share' THEN t.local_distribution
            WHEN 'state_institutions_share' THEN t.state_institutions
            WHEN 'nontraditional_minimum' THEN t.nontraditional
            WHEN 'nontraditional_maximum' THEN t.nontraditional
            WHEN 'recruitment_minimum' THEN t.recruitment
            WHEN 'leadership_share' THEN t.leadership
            WHEN 'administration_maximum' THEN t.administration
            WHEN 'administration_match' THEN t.administration_non_federal
            WHEN 'maintenance_of_effort' THEN t.total_non_federal
            WHEN 'authorized_total' THEN t.total
            WHEN 'secondary_awards' THEN t.secondary_awards
            WHEN 'postsecondary_awards' THEN t.postsecondary_awards
        END AS found,
        CASE d.check
            WHEN 'reserve_share' THEN t.reserve_limit
            WHEN 'local_share' THEN t.local_limit
            WHEN 'state_institutions_share' THEN t.state_institutions_limit
            WHEN 'nontraditional_minimum' THEN t.nontraditional_minimum
            WHEN 'nontraditional_maximum' THEN t.nontraditional_maximum
            WHEN 'recruitment_minimum' THEN least(t.recruitment_share, t.recruitment_amount)
            WHEN 'leadership_share' THEN t.leadership_limit
            WHEN 'administration_maximum' THEN greatest(t.administration_share, t.administration_amount)
            WHEN 'administration_match' THEN t.match_limit
            WHEN 'maintenance_of_effort' THEN t.effort_limit
            WHEN 'authorized_total' THEN t.allocation
            WHEN 'secondary_awards' THEN t.secondary_formula
            WHEN 'postsecondary_awards' THEN t.postsecondary_formula
        END AS limit_value,
        CAST(NULL AS VARCHAR) AS examples
    FROM limited AS t
    JOIN reference.fsr_check AS d ON d.instrument = t.instrument AND d.made_for = 'report' AND coalesce(d.report, t.report) = t.report
    UNION ALL
    SELECT
        w.report_year, w.report, d.check, w.row,
        CASE d.check
            WHEN 'balance' THEN w.balance
            WHEN 'row_reported' THEN w.is_reported
            WHEN 'previously_reported_blank' THEN w.previously_reported
            WHEN 'previously_reported_carried' THEN w.previously_reported
            WHEN 'obligations_liquidated' THEN w.unliquidated_obligations
        END,
        CASE d.check WHEN 'row_reported' THEN 1 WHEN 'previously_reported_carried' THEN w.carried ELSE 0 END,
        NULL
    FROM form_row AS w
    JOIN reference.fsr_check AS d
        ON d.instrument = w.instrument AND coalesce(d.report, w.report) = w.report
        AND (d.made_for = 'row' OR d.made_for = 'entered_row' AND w.kind = 'entered')
    UNION ALL
    SELECT s.report_year, s.section, d.check, d.line, c.wrong, 0, c.examples
    FROM section AS s
    JOIN rule AS r ON r.report_year = s.report_year
    JOIN reference.fsr_check AS d ON d.instrument = r.car_instrument AND d.made_for = 'section'
    LEFT JOIN counted AS c ON c.report_year = s.report_year AND c.section = s.section AND c.check = d.check
),
compared AS (
    SELECT report_year, form, check, line, CAST(found AS DECIMAL(18, 2)) AS found, CAST(limit_value AS DECIMAL(24, 6)) AS limit_value, examples
    FROM measured
)
SELECT
    m.report_year, m.form, m.check, m.line, d.severity, d.title, m.found, d.comparison, m.limit_value,
    CASE
        WHEN m.found IS NULL OR m.limit_value IS NULL THEN 'not_applicable'
        WHEN d.comparison = 'at_most' AND m.found <= m.limit_value THEN 'passed'
        WHEN d.comparison = 'at_least' AND m.found >= m.limit_value THEN 'passed'
        WHEN d.comparison = 'equal' AND m.found = m.limit_value THEN 'passed'
        ELSE 'failed'
    END AS status,
    m.examples, d.authority
FROM compared AS m
JOIN requested AS q ON q.report_year = m.report_year
JOIN rule AS r ON r.report_year = m.report_year
JOIN reference.fsr_check AS d ON d.instrument = r.car_instrument AND d.check = m.check
ORDER BY m.report_year, m.form, m.check, m.line
