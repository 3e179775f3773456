/*
title = "Lines of the subaward forms"
description = "A member of a consortium that is not its fiscal agent has the award 0, whatever was handed over."
grain = ["report_year", "section", "recipient_id"]
authority = "Federal CAR guide (January 2025), pages 12 to 14, II.B.2.a and b; specification: federal-report, Subawards and financial status reports"
*/
SELECT
    s.program_year AS report_year, s.section, s.recipient_id, s.recipient_name, s.federal_id, s.formula_allocation,
    CASE WHEN s.consortium_code > 0 AND NOT s.is_fiscal_agent THEN 0 ELSE s.final_award END AS final_award,
    s.final_award AS given_award,
    s.consortium_code, s.consortium_id, s.is_fiscal_agent,
    f.title,
    CAST(f.federal_id_digits AS INT) AS federal_id_digits,
    CAST(f.last_consortium_code AS INT) AS last_consortium_code
FROM subaward AS s
JOIN rule AS r ON r.report_year = s.program_year
JOIN reference.subaward_section AS f ON f.instrument = r.car_instrument AND f.section = s.section
