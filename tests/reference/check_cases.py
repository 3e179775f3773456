#!/usr/bin/env python3
"""Runs the reference over a folder of worked cases and compares as cases/README.md says.

    check_cases.py CASES_DIR [CASE …]
"""

import csv
import os
import sys
import tempfile
from decimal import Decimal, InvalidOperation

import reference

COMPLETE_WITHIN = {
    "performance": ["report_year", "indicator", "level", "group_kind"],
    "student_program": ["report_year"],
    "improvement_plan": ["report_year"],
}
KEYS = {
    "performance": ["report_year", "indicator", "level", "entity_id", "group_kind", "group_code"],
    "student_program": ["report_year", "student_id", "program_id"],
    "improvement_plan": ["report_year", "level", "entity_id", "indicator"],
}


def read(path):
    with open(path, encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def same(one, other):
    """Equal as numbers, else as text."""
    try:
        return Decimal(one) == Decimal(other)
    except InvalidOperation:
        return one == other


def check_table(table, expected, actual):
    """Messages about differences."""
    problems = []
    key_of = lambda row: tuple(row[name] for name in KEYS[table])
    stated = {tuple(row[name] for name in COMPLETE_WITHIN[table]) for row in expected}
    found = {key_of(row): row for row in actual if tuple(row[name] for name in COMPLETE_WITHIN[table]) in stated}
    for row in expected:
        mine = found.pop(key_of(row), None)
        if row.get("denominator") == "0":
            if mine is not None:
                problems.append(f"there must be no row {key_of(row)}")
            continue
        if mine is None:
            problems.append(f"missing {key_of(row)}")
            continue
        for name, value in row.items():
            if not same(value, mine[name]):
                problems.append(f"{key_of(row)}: {name} is {mine[name]!r}, expected {value!r}")
    problems += [f"not expected: {key}" for key in found]
    return problems


def main():
    cases_dir, names = sys.argv[1], sys.argv[2:]
    failed = False
    for case in sorted(names or os.listdir(cases_dir)):
        folder = os.path.join(cases_dir, case)
        if not os.path.isdir(os.path.join(folder, "raw")):
            continue
        for expected_name in sorted(name for name in os.listdir(folder) if name.startswith("expected-")):
            tables = {name[:-4]: read(os.path.join(folder, expected_name, name))
                      for name in sorted(os.listdir(os.path.join(folder, expected_name))) if name.endswith(".csv")}
            years = sorted({int(row["report_year"]) for rows in tables.values() for row in rows})
            problems = []
            with tempfile.TemporaryDirectory() as out:
                code = reference.run(os.path.join(folder, "raw"), expected_name.removeprefix("expected-"), years, out)
                if code != 0:
                    problems.append(f"the run ended with {code}")
                else:
                    rejects = read(os.path.join(out, "reject.csv"))
                    problems += [f"rejected {row}" for row in rejects]
                    for table, expected in tables.items():
                        actual = read(os.path.join(out, table + ".csv"))
                        problems += [f"{table}: {problem}" for problem in check_table(table, expected, actual)]
            print(f"{'FAILED' if problems else 'ok':6} {case} {expected_name} {years}: {sum(map(len, tables.values()))} rows")
            for problem in problems[:20]:
                print("       ", problem)
            failed = failed or bool(problems)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
