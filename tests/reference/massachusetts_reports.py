"""Massachusetts, spec/massachusetts.md: program quality screening, enrollment report, Pell report, postsecondary enrollment."""

import datetime
from collections import defaultdict
from decimal import Decimal
from fractions import Fraction

from contract import SCHOOL_MEASURES
from data import SECONDARY_GRADES, person_groups
from massachusetts import percent_of

COLUMNS = {
    "qss": "report_year institution_id measure value state_value percentile_rank lowest_quartile flags",
    "enrollment_report": "report_year level entity_id grade group_kind group_code students percent",
    "pell_report": "report_year level entity_id group_kind group_code recipients award_amount",
    "postsecondary_enrollment": "report_year level entity_id postsecondary_students postgraduates",
}
KEYS = {
    "qss": "report_year institution_id measure",
    "enrollment_report": "report_year level entity_id grade group_kind group_code",
    "pell_report": "report_year level entity_id group_kind group_code",
    "postsecondary_enrollment": "report_year level entity_id",
}
HIGH_GRADES = "09 10 11 12 SP".split()
INDICATOR_OF = {"cooperative_education_or_wbl": "5S3", "graduation_rate": "1S1", "ela_proficiency": "2S1", "math_proficiency": "2S2",
                "science_proficiency": "2S3", "graduate_placement": "3S1"}
LOWER_IS_BETTER = {"dropout_rate", "student_teacher_ratio"}


# ---------------------------------------------------------------- enrollment report

def secondary_grade(year, student_id, programs):
    """The highest grade (09 to 12, SP) of the year's enrollments at the programs' schools, else of all, else, without one, of the courses."""
    rows = [row for row in year.data.of("enrollment", student_id) if row.school_year == year.year]
    schools = {program.institution_id for program in programs}
    grades = [row.grade for row in rows if row.institution_id in schools and row.grade in HIGH_GRADES] or [row.grade for row in rows]
    if not rows:
        grades = [row.grade for row in year.data.of("cte_course", student_id) if row.school_year == year.year]
    return max((grade for grade in grades if grade in HIGH_GRADES), key=HIGH_GRADES.index, default=None)


def selected_populations(person):
    """The selected populations of a student row."""
    flags = {"english_learner": person.english_learner,
             "students_with_disabilities": person.individual_with_disability or person.section_504,
             "low_income": person.economically_disadvantaged}
    groups = [name for name, yes in flags.items() if yes]
    return groups + ["high_needs"] if groups else groups


def programs_of_year(year, student_id, level):
    """The approved programs of a level in which a student has a course or program enrollment in the year."""
    return [year.programs[program_id] for program_id, status in year.statuses[student_id].items()
            if year.year in status.years and year.programs[program_id].approved and year.programs[program_id].level == level]


def enrollment_report(year):
    """Students in secondary CTE programs by state, district and institution."""
    cells = defaultdict(int)
    for student_id, people in year.people.items():
        programs = programs_of_year(year, student_id, "secondary")
        grade = secondary_grade(year, student_id, programs)
        person = people["secondary"]
        groups = [("all", "all"), ("race_ethnicity", person.race_ethnicity), ("gender", person.gender)]
        groups += [("selected_population", code) for code in selected_populations(person)]
        for entity in {entity for program in programs for entity in program.entities if entity[0] in ("state", "district", "institution")}:
            for group in groups:
                for cell in ("all", grade) if grade else ():
                    cells[entity + (cell,) + group] += 1
    for (level, entity_id, grade, kind, code), students in cells.items():
        yield {"report_year": year.year, "level": level, "entity_id": entity_id, "grade": grade, "group_kind": kind, "group_code": code,
               "students": students, "percent": percent_of(students, cells[level, entity_id, grade, "all", "all"])}


# ---------------------------------------------------------------- postsecondary reports

def pell_report(year):
    """Pell recipients who are CTE students of the college that the row names, by the secondary row, as every Massachusetts table."""
    cells = defaultdict(lambda: [0, Decimal(0)])
    for row in year.data.rows["pell"]:
        if row.school_year != year.year or row.student_id not in year.people:
            continue
        programs = {program.program_id for program in programs_of_year(year, row.student_id, "postsecondary")
                    if program.institution_id == row.institution_id}
        if not programs:
            continue
        entities = [("state", year.rules["state_code"]), ("institution", row.institution_id)]
        if row.program_id in programs:
            entities.append(("program", row.program_id))
        groups = person_groups(year.people[row.student_id]["secondary"], "postsecondary")       # migrant is no group here
        for entity in entities:
            for group in [("all", "all")] + groups:
                cell = cells[entity + group]
                cell[0] += 1
                cell[1] += row.award_amount
    for (level, entity_id, kind, code), (recipients, amount) in cells.items():
        yield {"report_year": year.year, "level": level, "entity_id": entity_id, "group_kind": kind, "group_code": code,
               "recipients": recipients, "award_amount": amount}


def postsecondary_enrollment(year):
    """Students in postsecondary programs, and graduates in secondary ones, on 1 October of the school year."""
    day = datetime.date(year.year - 1, 10, 1)
    cells = defaultdict(lambda: {"postsecondary": set(), "postgraduate": set()})
    for student_id in year.people:
        over = {row.program_id for row in year.data.of("program_enrollment", student_id)
                if row.school_year == year.year and row.status != "enrolled" and row.status_date <= day}
        graduated = any((row.exit_date or datetime.date(row.school_year, 6, 30)) <= day
                        and row.exit_kind in year.rules["graduating_diplomas"] for row in year.data.of("exit", student_id))
        for population, level in (("postsecondary", "postsecondary"), ("postgraduate", "secondary")):
            if population == "postgraduate" and not graduated:
                continue
            for program in programs_of_year(year, student_id, level):
                if program.program_id in over:
                    continue
                # districts report their own postsecondary programs, so here a college may have a district
                district = year.institutions[program.institution_id].district_id
                for entity in (("state", year.rules["state_code"]), ("district", district), ("program", program.program_id)):
                    if entity[1] is not None:
                        cells[entity][population].add(student_id)
    for (level, entity_id), students in cells.items():
        yield {"report_year": year.year, "level": level, "entity_id": entity_id, "postsecondary_students": len(students["postsecondary"]),
               "postgraduates": len(students["postgraduate"])}


# ---------------------------------------------------------------- program quality

def lake_values(year):
    """measure -> {institution, or None for the state: (numerator, denominator)} for what the lake has."""
    values = {measure: {} for measure in SCHOOL_MEASURES.split()}
    for measure, indicator in INDICATOR_OF.items():
        for (of, level, entity_id, kind, _), figure in year.figures.items():
            if of == indicator and kind == "all" and level in ("state", "institution"):
                values[measure][None if level == "state" else entity_id] = tuple(figure)
    values["industry_recognized_credential"] = credentials(year)
    values["program_retention"] = retention(year)
    values["dropout_rate"] = dropouts(year)
    return values


def shares(members):
    """entity -> (numerator, denominator) of entity -> student -> yes or no."""
    return {entity: (sum(students.values()), len(students)) for entity, students in members.items()}


def credentials(year):
    """5S1, which the state does not report: graduates of the year among the concentrators, with a recognized credential."""
    members = defaultdict(lambda: defaultdict(bool))
    for student_id, statuses in year.statuses.items():
        year.exit = year.last_exit(student_id)
        for program_id, status in statuses.items():
            program = year.programs[program_id]
            if program.approved and program.level == "secondary" and status.status == "concentrator":
                exclusion, numerator, _ = year.judge_quality("5S1", student_id, program)
                if exclusion is None:
                    for entity in (None, program.institution_id):
                        members[entity][student_id] |= numerator
    return shares(members)


def retention(year):
    """Students with a course in a program in the year before, grades 9 to 11, who have one in the same program now."""
    members = defaultdict(lambda: defaultdict(bool))
    for student_id in year.people:
        before, now = set(), set()
        for row in year.data.of("cte_course", student_id):
            if row.school_year == year.year - 1 and row.grade in ("09", "10", "11"):
                before.add(row.program_id)
            if row.school_year == year.year:
                now.add(row.program_id)
        for program_id in before:
            program = year.programs.get(program_id)
            if program is not None and program.approved and program.level == "secondary":
                for entity in (None, program.institution_id):
                    members[entity][student_id] |= program_id in now
    return shares(members)


def dropouts(year):
    """Students in grades 09 to 12 or SP of a school with a program, and those whose last exit is a dropout of the year from there."""
    schools = {program.institution_id for program in year.programs.values() if program.approved and program.level == "secondary"}
    members = defaultdict(lambda: defaultdict(bool))
    for student_id in year.people:
        left = year.last_exit(student_id)
        gone = left is not None and left[0] == year.year and left[3] == "dropped_out"
        where = {row.institution_id for row in year.data.of("exit", student_id) if gone and row.school_year == left[2]}
        for row in year.data.of("enrollment", student_id):
            if row.school_year == year.year and row.grade in SECONDARY_GRADES and row.institution_id in schools:
                for entity in (None, row.institution_id):
                    members[entity][student_id] |= bool(where & {row.institution_id, None})
    return shares(members)


def percentile_rank(value, values):
    """The share of values below, equal ones half, in percent."""
    below, equal = sum(other < value for other in values), sum(other == value for other in values)
    return Fraction(100 * (2 * below + equal), 2 * len(values))


def qss(year):
    """Each school's measures beside the state's, and how many are in the lowest quartile."""
    values = lake_values(year)
    for row in year.data.rows["school_measure"]:
        if row.school_year == year.year and row.institution_id not in values[row.measure] and row.denominator != 0:
            values[row.measure][row.institution_id] = (row.numerator, row.denominator)
            state = values[row.measure].get(None, (0, 0))
            values[row.measure][None] = (state[0] + row.numerator, state[1] + row.denominator)
    rows, flags = [], defaultdict(int)
    for measure, figures in values.items():
        scale = 1 if measure == "student_teacher_ratio" else 100
        better = -1 if measure in LOWER_IS_BETTER else 1
        shown = {entity: scale * Fraction(part) / Fraction(whole) for entity, (part, whole) in figures.items()}
        ordered = [better * value for school, value in shown.items() if school is not None]
        for school, value in shown.items():
            if school is None:
                continue
            rank = percentile_rank(better * value, ordered)
            flags[school] += rank < 25
            rows.append({"report_year": year.year, "institution_id": school, "measure": measure, "value": float(value),
                         "state_value": float(shown[None]), "percentile_rank": float(rank), "lowest_quartile": rank < 25})
    return [{**row, "flags": flags[row["institution_id"]]} for row in rows]
