"""Fiscal forms, spec/federal-report.md "Subawards (II.C) and financial status reports (III)"."""

from decimal import Decimal

AMOUNTS = [f"column_{number}" for number in range(1, 12)]
ROWS = "A B C D E F G H I J K L M N".split()
SUMS = {"C": "AB", "F": "DE", "G": "CF", "L": "HIJK", "N": "GLM"}
ENTERED = {"column_2": "total_outlays", "column_3": "program_income", "column_6": "non_federal_share",
           "column_8": "unliquidated_obligations", "column_10": "funds_authorized"}

COLUMNS = {
    "fsr_form": "report_year report line " + " ".join(AMOUNTS),
    "fsr_check": "report_year form check line found comparison limit_value status",
    "subaward_form": "report_year section recipient_id recipient_name federal_id formula_allocation final_award consortium_code "
                     "consortium_id is_fiscal_agent",
}
# the system has more checks than these of the specification; they are not compared
CHECKS = ("reserve_share local_share state_institutions_share nontraditional_minimum nontraditional_maximum recruitment_minimum "
          "leadership_share administration_maximum balance").split()
KEYS = {
    "fsr_form": "report_year report line",
    "fsr_check": "report_year form check line",
    "subaward_form": "report_year section recipient_id",
}


def compute_columns(line):
    """The generated columns of a line: 4 = 2 - 3, 5 = 1 + 4, 7 = 5 - 6, 9 = 7 + 8, 11 = 10 - 9; a blank counts as 0."""
    amount = lambda number: line[f"column_{number}"] or Decimal(0)
    line["column_4"] = amount(2) - amount(3)
    line["column_5"] = amount(1) + amount(4)
    line["column_7"] = amount(5) - amount(6)
    line["column_9"] = amount(7) + amount(8)
    line["column_11"] = amount(10) - amount(9)


def form(data, report_year, report, before=None):
    """line -> columns of a report; `before` is the interim form of a final one; None when nothing was handed over."""
    given = {row.row: row for row in data.rows["outlay"] if row.program_year == report_year and row.report == report}
    if not given:
        return None
    lines = {}
    for name in ROWS:
        line = lines[name] = dict.fromkeys(AMOUNTS, Decimal(0))
        parts = [lines[part] for part in SUMS.get(name, "")]
        for column, field in ENTERED.items():
            if parts:
                line[column] = sum(part[column] for part in parts)
            elif name in given:
                line[column] = getattr(given[name], field)
        if before:
            line["column_1"] = before[name]["column_4"]
        elif report == "interim":
            line["column_1"] = None
        elif parts:
            line["column_1"] = sum(part["column_1"] for part in parts)
        elif name in given:                             # a final report without an interim one: what it says itself
            line["column_1"] = given[name].previously_reported
        compute_columns(line)
    return lines


def forms(data, report_year):
    """report -> form of a program year."""
    interim = form(data, report_year, "interim")
    found = {"interim": interim, "final": form(data, report_year, "final", interim)}
    return {report: lines for report, lines in found.items() if lines is not None}


def fsr_form(reference, report_year):
    """Rows A to N of the interim and the final report."""
    for report, lines in forms(reference.data, report_year).items():
        for name, line in lines.items():
            yield {"report_year": report_year, "report": report, "line": name, **line}


def fsr_check(reference, report_year):
    """The limits of the law, over the funds authorized (column 10), and balances of 0 or more."""
    award = next((row.award_amount for row in reference.data.rows["allocation"] if row.program_year == report_year), None)
    for report, lines in forms(reference.data, report_year).items():
        amount = {name: line["column_10"] for name, line in lines.items()}
        share = lambda percent: None if award is None else award * percent / 100
        checks = [("reserve_share", "C", "at_most", amount["G"] * 15 / 100),
                  ("local_share", "G", "at_least", share(85)),
                  ("state_institutions_share", "H", "at_most", share(2)),
                  ("nontraditional_minimum", "I", "at_least", Decimal(60000)),
                  ("nontraditional_maximum", "I", "at_most", Decimal(150000)),
                  ("recruitment_minimum", "J", "at_least", min(amount["L"] / 1000, Decimal(50000))),
                  ("leadership_share", "L", "at_most", share(10)),
                  ("administration_maximum", "M", "at_most", None if award is None else max(share(5), Decimal(250000)))]
        checks = [(check, name, amount[name], comparison, limit) for check, name, comparison, limit in checks]
        checks += [("balance", name, line["column_11"], "at_least", Decimal(0)) for name, line in lines.items()]
        for check, name, found, comparison, limit in checks:
            if limit is None:                           # no allocation was handed over
                status = "not_applicable"
            else:
                status = "passed" if (found <= limit if comparison == "at_most" else found >= limit) else "failed"
            yield {"report_year": report_year, "form": report, "check": check, "line": name, "found": found, "comparison": comparison,
                   "limit_value": limit, "status": status}


def subaward_form(reference, report_year):
    """Columns A to G of the two subaward forms."""
    for row in reference.data.rows["subaward"]:
        if row.program_year == report_year:
            is_member_only = row.consortium_code > 0 and not row.is_fiscal_agent
            yield {"report_year": report_year, "section": row.section, "recipient_id": row.recipient_id, "recipient_name": row.recipient_name,
                   "federal_id": row.federal_id, "formula_allocation": row.formula_allocation, "final_award": Decimal(0) if is_member_only else row.final_award,
                   "consortium_code": row.consortium_code, "consortium_id": row.consortium_id, "is_fiscal_agent": "Not Applicable" if row.consortium_code == 0 else "Yes" if row.is_fiscal_agent else "No"}
