"""Reads a raw folder of CSV files and does the checks of spec/collections.md, "Checks on the way in"."""

import csv
import datetime
import gzip
import io
import os
import re
from collections import defaultdict, namedtuple
from decimal import Decimal

from contract import COLLECTIONS

csv.field_size_limit(10_000_000)

TRUE_WORDS = {"y", "yes", "true", "t", "1"}
FALSE_WORDS = {"n", "no", "false", "f", "0"}

ROW = {name: namedtuple(name, [field.name for field in fields]) for name, fields in COLLECTIONS.items()}

Reject = namedtuple("Reject", "collection file line field rule text message")


class Bad(Exception):
    """A value that breaks a check; carries the rule's name and a message."""

    def __init__(self, rule, message):
        super().__init__(message)
        self.rule = rule
        self.message = message


# ---------------------------------------------------------------- values

def parse_value(field, text):
    """The typed value of a trimmed text (None for empty); raises Bad."""
    if text == "":
        if field.nullable:
            return None
        raise Bad("required", "a value is required")
    if field.type == "text":
        return text
    if field.type == "id":
        if len(text) > 64:
            raise Bad("range", "an id has 1 to 64 characters")
        return text
    if field.type == "code":
        if text.lower() not in field.codes:
            raise Bad("code", "not one of the codes")
        return field.codes[text.lower()]
    if field.type == "bool":
        if text.lower() in TRUE_WORDS:
            return True
        if text.lower() in FALSE_WORDS:
            return False
        raise Bad("type", "not a yes or no")
    if field.type == "date":
        if not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
            raise Bad("type", "not a date YYYY-MM-DD")
        try:
            return datetime.date(int(text[:4]), int(text[5:7]), int(text[8:]))
        except ValueError:
            raise Bad("type", "no such day") from None
    if field.type == "cip":
        if re.fullmatch(r"[0-9]{2}\.[0-9]{4}", text):
            return text
        if re.fullmatch(r"[0-9]{5,6}", text):
            digits = text.zfill(6)
            return digits[:2] + "." + digits[2:]
        raise Bad("type", "not a CIP code")
    if field.type in ("year", "whole"):
        if not re.fullmatch(r"[+-]?[0-9]+", text):
            raise Bad("type", "not a whole number")
        number = Decimal(text)
        check_range(field, number)
        return int(number)
    if field.type == "dec":
        if not re.fullmatch(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)", text):
            raise Bad("type", "not a decimal")
        if "." in text and len(text.split(".")[1]) > field.scale:
            raise Bad("type", "more decimals than the type has")
        number = Decimal(text)
        check_range(field, number)
        return number
    raise ValueError(field.type)


def check_range(field, number):
    """Raises Bad when a number is outside its field's limits or has too many digits before the dot."""
    if field.low is not None and number < field.low or field.high is not None and number > field.high:
        raise Bad("range", f"expected {field.low} to {field.high}")
    if field.above is not None and number <= field.above:
        raise Bad("range", f"expected above {field.above}")
    if field.precision is not None and abs(number) >= 10 ** (field.precision - field.scale):
        raise Bad("range", "more digits than the type has")


# ---------------------------------------------------------------- files

def files_of(raw_dir, collection):
    """Paths, relative to the raw folder, of a collection's files, sorted."""
    found = []
    for extension in ("csv", "csv.gz"):
        if os.path.isfile(os.path.join(raw_dir, f"{collection}.{extension}")):
            found.append(f"{collection}.{extension}")
    folder = os.path.join(raw_dir, collection)
    if os.path.isdir(folder):
        for where, _, names in os.walk(folder):
            for name in names:
                if name.endswith(".csv") or name.endswith(".csv.gz"):
                    found.append(os.path.relpath(os.path.join(where, name), raw_dir).replace(os.sep, "/"))
    return sorted(found)


def read_text(path):
    """The text of a file: a byte-order mark decides, else UTF-8, else Windows-1252."""
    opener = gzip.open if path.endswith(".gz") else open
    with opener(path, "rb") as stream:
        data = stream.read()
    if data.startswith(b"\xef\xbb\xbf"):
        return data[3:].decode("utf-8")
    if data.startswith(b"\xff\xfe") or data.startswith(b"\xfe\xff"):
        return data.decode("utf-16")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("cp1252")


def read_records(path):
    """Yields (line at which the record starts, list of texts) for each record of a CSV file, blank lines left out."""
    reader = csv.reader(io.StringIO(read_text(path), newline=""), strict=False)
    line = 1
    for record in reader:
        if record:
            yield line, record
        line = reader.line_num + 1


def read_collection(raw_dir, collection, rejects, counts):
    """Parses every file of a collection: [(file, line, row)], rows with a bad field rejected."""
    fields = COLLECTIONS[collection]
    make_row = ROW[collection]
    parsed = []
    memory = {field.name: {} for field in fields}          # texts seen before and their values
    for file in files_of(raw_dir, collection):
        count = counts[collection]["files"].setdefault(file, {"read": 0, "accepted": 0, "duplicate": 0, "rejected": 0})
        records = read_records(os.path.join(raw_dir, file))
        header = next(records, None)
        if header is None:
            raise SystemExit(f"{file}: no header row")
        names = [name.strip().lower() for name in header[1]]
        missing = [field.name for field in fields if not field.nullable and field.name not in names]
        if missing:
            raise SystemExit(f"{file}: required columns {missing} are missing; found {names}")
        position = {field.name: names.index(field.name) for field in fields if field.name in names}
        for line, record in records:
            count["read"] += 1
            values = {}
            problem = None
            for field in fields:
                place = position.get(field.name)
                text = record[place].strip() if place is not None and place < len(record) else ""
                known = memory[field.name]
                try:
                    if text in known:
                        value = known[text]
                    else:
                        value = known[text] = parse_value(field, text)
                    if collection == "program_enrollment" and field.name == "status_date":
                        if value is None and values["status"] != "enrolled":
                            raise Bad("required", "a status date is required unless the status is enrolled")
                except Bad as bad:
                    problem = Reject(collection, file, line, field.name, bad.rule, text, bad.message)
                    break
                values[field.name] = value
            if problem is not None:
                rejects.append(problem)
                count["rejected"] += 1
            else:
                parsed.append((file, line, make_row(**values)))
    return parsed


# ---------------------------------------------------------------- keys

def drop_duplicates(collection, parsed, counts):
    """Keeps the first of rows that are equal in every field."""
    seen = set()
    kept = []
    for file, line, row in parsed:
        if row in seen:
            counts[collection]["files"][file]["duplicate"] += 1
        else:
            seen.add(row)
            kept.append((file, line, row))
    return kept


def reject_conflicting_keys(collection, parsed, rejects, counts):
    """Rejects every row of a key that occurs with different values; null key parts are equal."""
    places = [place for place, field in enumerate(COLLECTIONS[collection]) if field.is_key]
    how_many = defaultdict(int)
    for _, _, row in parsed:
        how_many[tuple(row[place] for place in places)] += 1
    kept = []
    for file, line, row in parsed:
        if how_many[tuple(row[place] for place in places)] > 1:
            rejects.append(Reject(collection, file, line, None, "conflicting_key", None, "one key, different values"))
            counts[collection]["files"][file]["rejected"] += 1
        else:
            kept.append((file, line, row))
    return kept


def reject_orphans(collection, parsed, known_students, first_program_year, rejects, counts):
    """Rejects rows whose student or program is not known (of the accepted rows)."""
    names = [field.name for field in COLLECTIONS[collection]]
    kept = []
    for file, line, row in parsed:
        orphan = None
        if "student_id" in names and row.student_id is not None and row.student_id not in known_students:
            orphan = ("student_id", row.student_id, "no row of student has this id")
        elif "program_id" in names and row.program_id is not None:
            first = first_program_year.get(row.program_id)
            if first is None or "school_year" in names and first > row.school_year:
                orphan = ("program_id", row.program_id, "no row of program has this id in that or an earlier school year")
        if orphan is not None:
            rejects.append(Reject(collection, file, line, orphan[0], "foreign_key", orphan[1], orphan[2]))
            counts[collection]["files"][file]["rejected"] += 1
        else:
            kept.append((file, line, row))
    return kept


# ---------------------------------------------------------------- the whole folder

def take_in(raw_dir):
    """Reads and checks a raw folder: (rows by collection, rejects, counts by collection)."""
    rejects = []
    counts = {name: {"files": {}} for name in COLLECTIONS}
    parsed = {}
    for collection in COLLECTIONS:
        rows = read_collection(raw_dir, collection, rejects, counts)
        rows = drop_duplicates(collection, rows, counts)
        parsed[collection] = reject_conflicting_keys(collection, rows, rejects, counts)

    known_students = {row.student_id for _, _, row in parsed["student"]}
    first_program_year = {}
    for _, _, row in parsed["program"]:
        first_program_year[row.program_id] = min(row.school_year, first_program_year.get(row.program_id, row.school_year))

    data = {}
    for collection in COLLECTIONS:
        rows = parsed.pop(collection)
        if collection not in ("student", "program"):
            rows = reject_orphans(collection, rows, known_students, first_program_year, rejects, counts)
        for file, _, _ in rows:
            counts[collection]["files"][file]["accepted"] += 1
        data[collection] = [row for _, _, row in rows]

    for collection, count in counts.items():
        for what in ("read", "accepted", "duplicate", "rejected"):
            count[what] = sum(file[what] for file in count["files"].values())
        assert count["read"] == count["accepted"] + count["duplicate"] + count["rejected"], collection
    rejects.sort(key=lambda reject: (reject.collection, reject.file, reject.line))
    return data, rejects, {name: count for name, count in counts.items() if count["files"]}


def too_many_rejects(counts, max_percent):
    """The collections of which more than `max_percent` and more than 10 rows are rejected."""
    return [name for name, count in counts.items() if count["rejected"] > 10 and count["rejected"] * 100 > max_percent * count["read"]]
