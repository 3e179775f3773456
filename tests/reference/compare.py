#!/usr/bin/env python3
"""Compares the reference's folder of CSV files with one that the system exported; exit code 1 on any difference.

    compare.py REFERENCE_DIR SYSTEM_DIR [--table NAME]… [--examples 5]

SYSTEM_DIR holds <table>.csv with a header of the names in spec/outputs.md, for instance from
    perkins query "select * from performance" --format csv > performance.csv
The order of rows and columns does not matter; columns that the specification does not name are ignored.
"""

import argparse
import csv
import os
import re
import sys
from collections import Counter

import car
import fiscal
from reference import COLUMNS, KEYS

csv.field_size_limit(10_000_000)

# Wording and what the specification leaves open
NOT_COMPARED = {"reject": {"message"}, "indicator_membership": {"exclusion"}}
# Tables that must be there whatever the jurisdiction
ALWAYS = ["reject", "student_program", "indicator_membership", "performance", "enrollment_count", "gap", "improvement_plan", "detail",
          "summary"]
# Names that the specification leaves open: {table: {the reference's column: the system's}}
ALIASES = {
    "comparison_index": {"comparison_index": "index"},
    "fsr_form": {"line": "row", **{f"column_{number}": name for number, name in enumerate(
        "net_outlays_previously_reported total_outlays program_income net_outlays net_outlays_to_date non_federal_share federal_share "
        "unliquidated_obligations federal_share_and_obligations funds_authorized balance".split(), 1)}},
    "subaward_form": {"is_fiscal_agent": "fiscal_agent"},
}
# Rows that are compared, of tables in which the system has more
ROWS = {
    "car_form": lambda row: row["value"] != "",         # cells left blank are no rows of the reference
    "fsr_check": lambda row: row["check"] in fiscal.CHECKS,
    "subaward_form": lambda row: row["recipient_id"] != "",     # totals
}
# The guide gives these no program id: rows with one key are taken in order of all their columns
NO_UNIQUE_KEY = ["detail", "summary"]
BOOLEANS = {"true": "true", "t": "true", "false": "false", "f": "false"}
TOLERANCE = 1e-9


def read(path, table):
    """[row as dict] with only the columns of the specification; null is ''."""
    with open(path, encoding="utf-8-sig", newline="") as stream:
        reader = csv.DictReader(stream)
        found = reader.fieldnames or []
        aliases = ALIASES.get(table, {})
        place = {name: name if name in found else aliases.get(name) for name in COLUMNS[table].split()}
        missing = [name for name, column in place.items() if column not in found]
        if missing:
            raise SystemExit(f"{path}: columns {missing} are missing; found {found}")
        rows = [{name: row[column] or "" for name, column in place.items()} for row in reader]
    if table in ("car_form", "car_check"):
        rows = [car.from_printed(row) for row in rows]
    if table == "car_check":                            # `at most 5`: the number is compared, not the wording
        for row in rows:
            row["expected"] = next(iter(re.findall(r"\d+", row["expected"])), row["expected"])
    return [row for row in rows if ROWS[table](row)] if table in ROWS else rows


def same(name, one, other):
    """Equal as text, as yes or no, or as numbers."""
    if one == other:
        return True
    if one.lower() in BOOLEANS and other.lower() in BOOLEANS:
        return BOOLEANS[one.lower()] == BOOLEANS[other.lower()]
    if name in ("widest_gaps", "entity_id", "entity_name", "student_id", "program_id", "text"):
        return False
    try:
        first, second = float(one), float(other)
    except ValueError:
        return False
    return abs(first - second) <= TOLERANCE * max(1.0, abs(first), abs(second))


def canonical(row, table):
    """What is compared of a row, or None when the row is not compared."""
    row = dict(row)
    if table == "indicator_membership" and not is_true(row["denominator"]):
        return None
    if table == "reject" and row["rule"] == "conflicting_key":
        row["field"] = row["text"] = ""                # the key's fields or none: left open
    if table == "reject":
        row["text"] = row["text"].strip()
    if table in ("performance", "enrollment_count") and row["level"] == "state":
        row["entity_name"] = ""                        # the jurisdiction's printed name: left open for `US`
    return row


def is_true(text):
    return BOOLEANS.get(text.lower()) == "true"


def by_key(rows, table, problems, where):
    """key -> row; a key that occurs twice is a problem."""
    found = {}
    if table in NO_UNIQUE_KEY:
        rows = sorted(rows, key=lambda row: list(row.values()))
    times = Counter()
    for row in rows:
        key = tuple(row[name] for name in KEYS[table].split())
        if table in NO_UNIQUE_KEY:
            times[key] += 1
            key += (times[key],)
        kept = canonical(row, table)
        if table == "indicator_membership":
            if kept is None and (is_true(row["numerator"]) or row["exclusion"] == ""):
                problems.append(("wrong out of the denominator", f"{where} {row}"))
            if kept is not None and row["exclusion"] != "":
                problems.append(("exclusion within the denominator", f"{where} {row}"))
        if kept is None:
            continue
        if key in found:
            problems.append(("key twice", f"{where} {key}"))
        found[key] = kept
    return found


def compare_table(table, reference_rows, system_rows):
    """[(kind of problem, example)]"""
    problems = []
    expected = by_key(reference_rows, table, problems, "reference")
    actual = by_key(system_rows, table, problems, "system")
    compared = [name for name in COLUMNS[table].split() if name not in NOT_COMPARED.get(table, set())]
    for key in sorted(expected.keys() | actual.keys()):
        one, other = expected.get(key), actual.get(key)
        if other is None:
            problems.append(("missing", " ".join(f"{name}={one[name]}" for name in COLUMNS[table].split() if one[name])))
        elif one is None:
            problems.append(("extra", " ".join(f"{name}={other[name]}" for name in COLUMNS[table].split() if other[name])))
        else:
            wrong = [name for name in compared if not same(name, one[name], other[name])]
            if wrong:
                problems.append(("different " + ",".join(wrong),
                                 f"{key}: " + "; ".join(f"{name}: reference {one[name]!r}, system {other[name]!r}" for name in wrong)))
    return problems, len(expected), len(actual)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("reference_dir")
    parser.add_argument("system_dir")
    parser.add_argument("--table", action="append", choices=list(COLUMNS), help="only these tables; without it, all")
    parser.add_argument("--examples", type=int, default=5)
    options = parser.parse_args()
    failed = False
    for table in options.table or list(COLUMNS):
        reference_path = os.path.join(options.reference_dir, table + ".csv")
        system_path = os.path.join(options.system_dir, table + ".csv")
        if not options.table and table not in ALWAYS and not (os.path.exists(reference_path) and os.path.exists(system_path)):
            continue                                    # not of this jurisdiction, or not there yet
        absent = [path for path in (reference_path, system_path) if not os.path.exists(path)]
        if absent:
            print(f"{table}: {absent[0]} is not there")
            failed = True
            continue
        problems, expected, actual = compare_table(table, read(reference_path, table), read(system_path, table))
        print(f"{table}: reference {expected} rows, system {actual} rows, {len(problems)} differences")
        shown = Counter()
        for kind, example in problems:
            shown[kind] += 1
            if shown[kind] <= options.examples:
                print(f"  {kind}: {example}")
        for kind, count in shown.items():
            if count > options.examples:
                print(f"  {kind}: {count} in all")
        failed = failed or bool(problems)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
