#!/usr/bin/env python3
"""An independent reference implementation of the specification, to compare the system against row for row.

    reference.py RAW_DIR --jurisdiction oregon --report-year 2024 --out DIR [--rule name=value] [--table NAME]…

Plain dicts and loops; no table engine; nothing of the system's SQL or Rust. DECISIONS.md lists where the text left a choice.
"""

import argparse
import csv
import json
import os
import sys
from decimal import Decimal
from fractions import Fraction

import car
import detail
import fiscal
import massachusetts
import massachusetts_reports
from data import Data
from intake import take_in, too_many_rejects
from rules import rules_of
from year import Year


# ---------------------------------------------------------------- tables over years

class Reference:
    """All years of one raw folder, jurisdiction and set of rules."""

    def __init__(self, rows, rules):
        self.data = Data(rows)
        self.rules = rules
        self.known = {}
        self.flags = {}                                 # year -> district -> massachusetts.Flags

    def year(self, year):
        """The Year, computed when it is first needed."""
        if year not in self.known:
            self.known[year] = Year(self.data, self.rules, year)
        return self.known[year]

    def performance(self, report_year):
        year = self.year(report_year)
        for (indicator, level, entity_id, kind, code), (numerator, denominator) in year.figures.items():
            target, status = year.status_of_figure(indicator, level, entity_id, kind, numerator, denominator)
            yield {"report_year": report_year, "indicator": indicator, "level": level, "entity_id": entity_id,
                   "entity_name": year.name(level, entity_id), "group_kind": kind, "group_code": code,
                   "numerator": numerator, "denominator": denominator, "rate": 100 * numerator / denominator,
                   "target": target, "status": status}

    def enrollment_count(self, report_year):
        year = self.year(report_year)
        for (education_level, status, level, entity_id, kind, code, cluster), students in year.enrollment_counts.items():
            yield {"report_year": report_year, "education_level": education_level, "status": status, "level": level,
                   "entity_id": entity_id, "entity_name": year.name(level, entity_id), "group_kind": kind,
                   "group_code": code, "career_cluster": cluster, "students": students}

    def gap(self, report_year):
        year, before = self.year(report_year), self.year(report_year - 1)
        for cell in year.figures:
            indicator, level, entity_id, kind, code = cell
            if level == "program" or kind in ("all", "placement"):
                continue
            all_cell = (indicator, level, entity_id, "all", "all")
            rate, all_rate = year.share(cell), year.share(all_cell)
            target = year.target(indicator, level, entity_id)
            prior, prior_all = before.share(cell), before.share(all_cell)
            if prior is None:
                progress = "new"
            else:
                gap_now, gap_then = abs(rate - all_rate), abs(prior - prior_all)
                progress = "closing" if gap_now < gap_then else "widening" if gap_now > gap_then else "unchanged"
            yield {"report_year": report_year, "indicator": indicator, "level": level, "entity_id": entity_id,
                   "group_kind": kind, "group_code": code, "rate": percent(rate), "all_rate": percent(all_rate),
                   "gap_to_all": percent(rate - all_rate),
                   "gap_to_target": None if target is None else percent(rate - Fraction(target) / 100),
                   "prior_rate": percent(prior), "change": None if prior is None else percent(rate - prior), "progress": progress}

    def improvement_plan(self, report_year):
        year = self.year(report_year)
        for cell in list(year.figures):
            indicator, level, entity_id, kind, _ = cell
            if kind != "all" or level not in ("state", "grantee", "district"):
                continue
            if year.all_status(indicator, level, entity_id) != "below_90":
                continue
            first = report_year
            while self.year(first - 1).all_status(indicator, level, entity_id) == "below_90":
                first -= 1
            streak = report_year - first + 1
            if streak < 3:
                progress = "too_early"
            else:
                progress = "yes" if year.share(cell) > self.year(first).share(cell) else "no"
            yield {"report_year": report_year, "level": level, "entity_id": entity_id, "indicator": indicator,
                   "years_below_in_a_row": streak, "first_year_below": first, "progress_after_three_years": progress,
                   "widest_gaps": widest_gaps(year, cell)}


def widest_gaps(year, all_cell):
    """The three groups furthest below `all`, as kind:code, joined by `;`."""
    below = []
    for cell in year.figures:
        if cell[:3] == all_cell[:3] and cell[3] in ("gender", "race_ethnicity", "special_population"):
            gap = year.share(cell) - year.share(all_cell)
            if gap < 0:
                below.append((gap, cell[3], cell[4]))
    return ";".join(f"{kind}:{code}" for _, kind, code in sorted(below)[:3]) or None


def percent(share):
    """A share as a float in percent (None stays None)."""
    return None if share is None else float(100 * share)


# ---------------------------------------------------------------- writing

COLUMNS = {
    "student_program": "report_year student_id program_id institution_id district_id grantee_id education_level approval cip_code status "
                       "credits advanced_credits cte_specific_credits courses_passed first_school_year last_school_year is_primary "
                       "is_nontraditional",
    "indicator_membership": "report_year indicator student_id program_id denominator numerator exclusion",
    "performance": "report_year indicator level entity_id entity_name group_kind group_code numerator denominator rate target status",
    "enrollment_count": "report_year education_level status level entity_id entity_name group_kind group_code career_cluster students",
    "gap": "report_year indicator level entity_id group_kind group_code rate all_rate gap_to_all gap_to_target prior_rate change progress",
    "improvement_plan": "report_year level entity_id indicator years_below_in_a_row first_year_below progress_after_three_years "
                        "widest_gaps",
    "reject": "collection file line field rule text message",
}
KEYS = {
    "student_program": "report_year student_id program_id",
    "indicator_membership": "report_year indicator student_id program_id",
    "performance": "report_year indicator level entity_id group_kind group_code",
    "enrollment_count": "report_year education_level status level entity_id group_kind group_code career_cluster",
    "gap": "report_year indicator level entity_id group_kind group_code",
    "improvement_plan": "report_year level entity_id indicator",
    "reject": "collection file line",
}
for module in (detail, massachusetts, massachusetts_reports, car, fiscal):
    COLUMNS.update(module.COLUMNS)
    KEYS.update(module.KEYS)
# table -> its rows of a report year, from the Reference
TABLES = {
    "student_program": lambda reference, year: reference.year(year).student_program,
    "indicator_membership": lambda reference, year: reference.year(year).indicator_membership,
    "performance": lambda reference, year: reference.performance(year),
    "enrollment_count": lambda reference, year: reference.enrollment_count(year),
    "gap": lambda reference, year: reference.gap(year),
    "improvement_plan": lambda reference, year: reference.improvement_plan(year),
    "detail": lambda reference, year: detail.detail(reference.year(year)),
    "summary": lambda reference, year: detail.summary(reference.year(year)),
    "car_form": car.car_form,
    "car_check": car.car_check,
    "fsr_form": fiscal.fsr_form,
    "fsr_check": fiscal.fsr_check,
    "subaward_form": fiscal.subaward_form,
}
MASSACHUSETTS_TABLES = {
    "comparison_index": lambda reference, year: massachusetts.comparison_index(reference.year(year)),
    "disproportionality": massachusetts.disproportionality,
    "admission": lambda reference, year: massachusetts.admission(reference.year(year)),
    "follow_up": lambda reference, year: massachusetts.follow_up(reference.year(year)),
    "qss": lambda reference, year: massachusetts_reports.qss(reference.year(year)),
    "enrollment_report": lambda reference, year: massachusetts_reports.enrollment_report(reference.year(year)),
    "pell_report": lambda reference, year: massachusetts_reports.pell_report(reference.year(year)),
    "postsecondary_enrollment": lambda reference, year: massachusetts_reports.postsecondary_enrollment(reference.year(year)),
}


def shown(value):
    """A value as CSV text."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return f"{value:.2f}" if value == value.quantize(Decimal("0.01")) else f"{value:f}"
    if isinstance(value, float):
        return repr(value)
    return str(value)


def write_table(out_dir, table, rows):
    """Writes rows (dicts) as CSV, sorted by the table's key."""
    keys = KEYS[table].split()
    rows = sorted(rows, key=lambda row: tuple((row[name] is not None, row[name]) for name in keys))
    columns = COLUMNS[table].split()
    with open(os.path.join(out_dir, table + ".csv"), "w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(columns)
        for row in rows:
            writer.writerow([shown(row[name]) for name in columns])


def run(raw_dir, jurisdiction, report_years, out_dir, rule_changes=(), max_reject_rate=1.0, only=()):
    """Reads, checks, computes and writes; returns the exit code."""
    rules = rules_of(jurisdiction, rule_changes)
    os.makedirs(out_dir, exist_ok=True)
    rows, rejects, counts = take_in(raw_dir)
    write_table(out_dir, "reject", [reject._asdict() for reject in rejects])
    with open(os.path.join(out_dir, "counts.json"), "w", encoding="utf-8") as stream:
        json.dump(counts, stream, indent=1, sort_keys=True)
        stream.write("\n")
    failed = too_many_rejects(counts, max_reject_rate)
    if failed:
        print(f"too many rejected rows in {', '.join(failed)}: nothing is computed", file=sys.stderr)
        return 1
    reference = Reference(rows, rules)
    report_years = sorted(set(report_years))
    tables = {**TABLES, **MASSACHUSETTS_TABLES} if jurisdiction == "massachusetts" else TABLES
    for table in only or tables:
        write_table(out_dir, table, [row for year in report_years for row in tables[table](reference, year)])
    return 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("raw_dir")
    parser.add_argument("--jurisdiction", required=True, choices=["federal", "oregon", "massachusetts"])
    parser.add_argument("--report-year", type=int, action="append", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--rule", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--table", action="append", default=[], help="only these tables; without it, all of the jurisdiction")
    parser.add_argument("--max-reject-rate", type=float, default=1.0, metavar="PERCENT")
    options = parser.parse_args()
    return run(options.raw_dir, options.jurisdiction, options.report_year, options.out, options.rule, options.max_reject_rate, options.table)


if __name__ == "__main__":
    sys.exit(main())
