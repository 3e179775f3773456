"""Breaks rows in every way of the checks table, and writes a raw folder in every way that is accepted."""

import csv
import gzip
import io
import os
import shutil

from contract import COLLECTIONS


def bad_text(rng, field):
    """(text) values that break a field's checks."""
    choices = []
    if not field.nullable:
        choices += ["", "   "]
    if field.type == "id":
        choices += ["x" * 65]
    if field.type == "code":
        choices += ["nonsense", "F M", "9", "secondary.", "N/A"]
    if field.type == "bool":
        choices += ["maybe", "2", "YE S", "N/A"]
    if field.type == "date":
        choices += ["2023-02-29", "2023-13-01", "01/02/2023", "2023-6-1", "20230601", "2023-06-31", "today"]
    if field.type == "cip":
        choices += ["1.0000", "1234", "1234567", "AB.CDEF", "01.000", "010.000"]
    if field.type == "year":
        choices += ["1989", "2101", "23", "2023.0", "2023-24", "MMXX", "20 23"]
    if field.type == "whole":
        choices += ["0", "10", "-1", "2.5", "two"]
    if field.type == "dec":
        choices += ["1.005", "1,5", "1.234,5", "abc", "1e3x", "99999999", "0.001", "$3", "1 000"]
        if field.low is not None:
            choices += [str(field.high + 1), "-0.01", f"{field.high}.01"]
        if field.above is not None:
            choices += ["0", "0.00", "-1"]
    return rng.choice(choices) if choices else None


def spoil(rng, tables, share):
    """Breaks about a share of the rows of each collection; returns new tables."""
    result = {}
    program_first = {}
    for row in tables["program"]:
        program_first[row["program_id"]] = min(int(row["school_year"]), program_first.get(row["program_id"], 9999))
    for name, rows in tables.items():
        fields = COLLECTIONS[name]
        names = [field.name for field in fields]
        breakable = [field for field in fields if field.type != "text" or not field.nullable]
        rows = [dict(row) for row in rows]
        how_many = max(1 if rows else 0, int(share * len(rows)))
        if name in ("program", "institution"):
            how_many = min(how_many, 3)
        added = []
        for place in rng.sample(range(len(rows)), min(len(rows), how_many)):
            row = rows[place]
            if name == "program" and int(row["school_year"]) == program_first[row["program_id"]]:
                continue                                # its courses would all go
            way = rng.randrange(8)
            if way <= 3:                                # one or two bad fields
                for field in rng.sample(breakable, 2 if way == 3 and len(breakable) > 1 else 1):
                    text = bad_text(rng, field)
                    if text is not None:
                        row[field.name] = text
            elif way == 4:                              # the same row again, perhaps spelled differently
                added += [respelled(rng, name, row) for _ in range(rng.choice([1, 1, 2]))]
            elif way == 5:                              # one key, another value
                other = differing(rng, name, row)
                if other is not None:
                    added.append(other)
                    if rng.random() < 0.3:
                        added.append(dict(other))       # a duplicate of a row in conflict
            elif way == 6 and "student_id" in names and name != "student":
                row["student_id"] = f"ORPHAN{rng.randrange(1000)}"
            elif way == 7 and row.get("program_id") and name != "program":
                row["program_id"] = f"NOPROGRAM{rng.randrange(9)}"
            if name == "program_enrollment" and way == 2:
                row["status"], row["status_date"] = rng.choice(["completed", "LEFT"]), ""
        rows += added
        result[name] = rows
    victims(rng, tables, result, program_first)
    for rows in result.values():
        rng.shuffle(rows)
    return result


def victims(rng, tables, result, program_first):
    """Students and programs whose only row is rejected, with rows that go with them; programs not yet known."""
    template = next(row for row in tables["student"] if row["education_level"] == "secondary")
    program = next(iter(program_first))
    year = str(program_first[program])
    course = dict(tables["cte_course"][0], school_year=year, program_id=program)
    for number, (field, text) in enumerate([("gender", "Q"), ("race_ethnicity", ""), ("birth_date", "2004-02-30")]):
        student = f"VICTIM{number}"
        result["student"].append(dict(template, student_id=student, **{field: text}))
        result["cte_course"].append(dict(course, student_id=student))
        result["exit"].append({"school_year": year, "student_id": student, "institution_id": "", "exit_date": "",
                               "exit_kind": "dropped_out"})
    for flag in ("Y", "N"):                             # conflicting, and so unknown
        result["student"].append(dict(template, student_id="VICTIM9", homeless=flag))
    result["enrollment"].append(dict(tables["enrollment"][0], student_id="VICTIM9"))
    result["program"].append(dict(tables["program"][0], program_id="PVICTIM", approval="pending"))
    result["cte_course"].append(dict(course, program_id="PVICTIM", student_id=template["student_id"]))
    result["credential"].append({"student_id": template["student_id"], "credential_code": "V", "earned_on": "2023-01-01", "recognized": "Y",
                                 "program_id": "PVICTIM"})
    late = dict(tables["program"][0], program_id="PLATE", school_year="2024")
    result["program"].append(late)
    result["cte_course"].append(dict(course, program_id="PLATE", school_year="2023", student_id=template["student_id"]))
    result["cte_course"].append(dict(course, program_id="PLATE", school_year="2024", student_id=template["student_id"]))
    result["credential"].append({"student_id": template["student_id"], "credential_code": "V", "earned_on": "2020-01-01", "recognized": "Y",
                                 "program_id": "PLATE"})


def respelled(rng, name, row):
    """The same row in other words."""
    other = dict(row)
    for field in COLLECTIONS[name]:
        text = other[field.name]
        if text == "":
            other[field.name] = rng.choice(["", " "])
        elif field.type == "code":
            other[field.name] = rng.choice([text.upper(), text.title(), f" {text}"])
        elif field.type == "bool":
            other[field.name] = rng.choice(["Y", "true"]) if text.lower() in ("y", "yes", "true", "t", "1") else rng.choice(["n", "FALSE"])
        elif field.type == "dec" and "." not in text:
            other[field.name] = text + rng.choice(["", ".0", ".00"])
        elif rng.random() < 0.3:
            other[field.name] = f" {text}\t"
    return other


def differing(rng, name, row):
    """A row of the same key with another value, or None."""
    fields = [field for field in COLLECTIONS[name] if not field.is_key]
    other = dict(row)
    for field in rng.sample(fields, len(fields)):
        if field.type == "code":
            other[field.name] = next(code for code in field.codes.values() if code.lower() != row[field.name].strip().lower())
            if name == "program_enrollment" and not row["status_date"]:
                other["status"] = row["status"]
                continue
        elif field.type == "bool":
            other[field.name] = "Y" if row[field.name].lower() not in ("y", "yes", "true", "t", "1") else "N"
        elif field.type == "dec":
            other[field.name] = "7.77"
        elif field.type == "text" and field.name != "federal_id":
            other[field.name] = row[field.name] + "?"
        if other != row:
            return other
    return None


# ---------------------------------------------------------------- writing

def encode_table(rng, rows, columns, odd):
    """CSV text of rows; `odd` shuffles the columns, changes letter case and adds blanks, an unknown column and quoted newlines."""
    columns = list(columns)
    header = list(columns)
    if odd:
        rng.shuffle(columns)
        header = [rng.choice([name, name.upper(), f" {name}", name.title()]) for name in columns]
        if rng.random() < 0.5:
            columns.append("left_over")
            header.append("left_over")
    stream = io.StringIO()
    writer = csv.writer(stream, lineterminator=rng.choice(["\n", "\r\n"]) if odd else "\n")
    writer.writerow(header)
    for row in rows:
        values = [row.get(name, "") for name in columns]
        if odd:
            for place, name in enumerate(columns):
                luck = rng.random()
                if luck < 0.01:
                    values[place] = f"  {values[place]} "
                elif name == "left_over":
                    values[place] = rng.choice(["", "x", "two\nlines", "a,b"])
            if rng.random() < 0.01:
                stream.write("\n")                      # a blank line is no row
        writer.writerow(values)
    return stream.getvalue()


def write_folder(rng, tables, out, odd):
    """Writes one file, or with `odd` a folder of several files, for each collection."""
    if os.path.isdir(out):
        shutil.rmtree(out)
    os.makedirs(out)
    for name, rows in tables.items():
        columns = [field.name for field in COLLECTIONS[name]]
        if odd:
            for row in rows:
                for column in ("first_name", "last_name"):
                    if row.get(column) and rng.random() < 0.01:
                        row[column] += "\nJr."
        if odd and len(rows) > 20 and rng.random() < 0.6:
            os.makedirs(os.path.join(out, name))
            parts = rng.randrange(2, 5)
            for part in range(parts):
                text = encode_table(rng, rows[part::parts], columns, odd)
                write_file(rng, os.path.join(out, name, f"part-{part}.csv"), text, odd)
        else:
            write_file(rng, os.path.join(out, name + ".csv"), encode_table(rng, rows, columns, odd), odd)


def write_file(rng, path, text, odd):
    """Writes text, with `odd` in one of the encodings that are accepted."""
    data = text.encode("utf-8")
    if odd:
        way = rng.randrange(6)
        if way == 0:
            data = b"\xef\xbb\xbf" + data
        elif way == 1:
            data = b"\xff\xfe" + text.encode("utf-16-le")
        elif way == 2 and any(ord(letter) > 127 for letter in text):
            data = text.encode("cp1252")
        elif way == 3:
            path += ".gz"
            data = gzip.compress(data, mtime=0)
    with open(path, "wb") as stream:
        stream.write(data)
