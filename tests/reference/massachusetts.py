"""Massachusetts, spec/massachusetts.md: comparison index, disproportionality, admission, graduate follow-up."""

import datetime
import math
from collections import defaultdict

from contract import FOLLOW_UP_OUTCOMES, RACES
from data import FOLLOW_UP_PLACEMENT, exit_year_of, person_groups

Z = 2.3263478740408408
DECIDING = ("students_of_color", "students_with_disabilities", "english_learners")
GROUPS = list(DECIDING) + ["economically_disadvantaged"] + [race for race in RACES.split() if race != "unknown"] + ["F", "M", "X"]

COLUMNS = {
    "comparison_index": "report_year district_id group_code n members p comparison_index attending_n attending_members attending difference",
    "disproportionality": "report_year district_id flag_1 flag_2 flag_3 flagged category "
                          + " ".join(f"progress_{group}" for group in DECIDING)
                          + " years_in_a_row applications seats in_desk_review",
    "admission": "report_year level entity_id group_kind group_code applicants offered accepted declined waitlisted enrolled offer_rate "
                 "acceptance_rate seats applicants_per_seat spring_applicants fall_applicants lottery apportionment",
    "follow_up": "report_year level entity_id group_kind group_code graduates responded response_rate placed placement_rate "
                 + FOLLOW_UP_OUTCOMES,
}
KEYS = {
    "comparison_index": "report_year district_id group_code",
    "disproportionality": "report_year district_id",
    "admission": "report_year level entity_id group_kind group_code",
    "follow_up": "report_year level entity_id group_kind group_code",
}


# ---------------------------------------------------------------- comparison index

def wilson_lower(members, size, n):
    """The lower limit, in percent, of the one-sided 99 % Wilson score interval: share members / size, n for the width."""
    if members == 0:
        return 0.0
    p = members / size
    centre = p + Z * Z / (2 * n)
    width = Z * math.sqrt(p * (1 - p) / n + Z * Z / (4 * n * n))
    return 100 * (centre - width) / (1 + Z * Z / n)


def demographic_groups(person):
    """The groups of a student row."""
    groups = [person.gender]
    if person.race_ethnicity != "unknown":
        groups.append(person.race_ethnicity)
        if person.race_ethnicity != "white":
            groups.append("students_of_color")
    if person.individual_with_disability or person.section_504:
        groups.append("students_with_disabilities")
    if person.english_learner:
        groups.append("english_learners")
    if person.economically_disadvantaged:
        groups.append("economically_disadvantaged")
    return groups


def count_groups(year, students):
    """(students known as of the year, group -> how many of them)."""
    known = [student for student in students if student in year.people]
    counts = defaultdict(int)
    for student in known:
        for group in demographic_groups(year.people[student]["secondary"]):
            counts[group] += 1
    return len(known), counts


def comparison_index(year):
    """One row for each CTE district and group."""
    districts = defaultdict(list)
    for row in year.data.rows["resident"]:
        if row.school_year == year.year:
            districts[row.member_district_id].append(row)
    schools = {institution: row.district_id for institution, row in year.institutions.items()
               if row.institution_kind == "school" and row.district_id is not None}
    grades, ninth = defaultdict(set), defaultdict(set)
    for row in year.data.rows["enrollment"]:
        if row.school_year == year.year and row.institution_id in schools:
            grades[schools[row.institution_id]].add(row.grade)
            if row.grade == "09":
                ninth[schools[row.institution_id]].add(row.student_id)
    for district, rows in districts.items():
        sample = {row.student_id for row in rows if row.grade in grades[district] and not row.out_of_district_placement}
        n, members = count_groups(year, sample)
        if n == 0:
            continue                                    # a figure with denominator 0 has no row
        attending_n, attending_members = count_groups(year, ninth[district])
        for group in GROUPS:
            index = attending = None
            interval_n = n if year.rules["comparison_index_n"] == "sample" else attending_n
            if interval_n > 0 or members[group] == 0:
                index = wilson_lower(members[group], n, interval_n)
            if attending_n > 0:
                attending = 100 * attending_members[group] / attending_n
            yield {"report_year": year.year, "district_id": district, "group_code": group, "n": n, "members": members[group],
                   "p": members[group] / n, "comparison_index": index, "attending_n": attending_n,
                   "attending_members": attending_members[group], "attending": attending,
                   "difference": None if index is None or attending is None else attending - index}


# ---------------------------------------------------------------- disproportionality

class Flags:
    """A district's differences in a year and what they raise."""

    def __init__(self, differences):
        self.differences = differences                  # deciding group -> difference or None
        below = lambda limit: {group for group, difference in differences.items() if difference is not None and difference < limit}
        self.raised = [False, False, False]
        self.part_of = set()
        for place, (limit, least) in enumerate(((0, 3), (-5, 1), (-2.5, 2))):
            groups = below(limit)
            if len(groups) >= least:
                self.raised[place] = True
                self.part_of |= groups
        self.flagged = any(self.raised)


def flags_of(reference, report_year):
    """district -> Flags of a year."""
    if report_year not in reference.flags:
        differences = defaultdict(dict)
        for row in comparison_index(reference.year(report_year)):
            if row["group_code"] in DECIDING:
                differences[row["district_id"]][row["group_code"]] = row["difference"]
        reference.flags[report_year] = {district: Flags(values) for district, values in differences.items()}
    return reference.flags[report_year]


def disproportionality(reference, report_year):
    """One row for each CTE district of the year, and for each district with applications: those are in the desk review only."""
    years = sorted({row.school_year for row in reference.data.rows["resident"] if row.school_year <= report_year})
    history = {year: flags_of(reference, year) for year in years}
    applicants, seats = defaultdict(set), {}
    for row in reference.data.rows["application"]:
        if row.school_year == report_year:
            applicants[row.district_id].add(row.applicant_id)
    for row in reference.data.rows["admission_procedure"]:
        if row.school_year == report_year:
            seats[row.district_id] = row.seats
    for district in history.get(report_year, {}).keys() | applicants.keys():
        row = {"report_year": report_year, "district_id": district, "applications": len(applicants.get(district, ())),
               "seats": seats.get(district)}
        row["in_desk_review"] = row["seats"] is not None and row["applications"] > row["seats"]
        yield {**dict.fromkeys(COLUMNS["disproportionality"].split()), **row, **judge(history, report_year, district)}


def judge(history, report_year, district):
    """Flags, category and progress of a district; nothing without a sample and a ninth grade in the year."""
    now, then = history.get(report_year, {}).get(district), history.get(report_year - 1, {}).get(district)
    if now is None or all(difference is None for difference in now.differences.values()):
        return {}
    repeated = now.part_of & then.part_of if then else set()
    if now.flagged:
        category = ["newly_identified", "one_group_repeated", "several_groups_repeated"][min(len(repeated), 2)]
    elif any(district in flags and flags[district].flagged for year, flags in history.items() if year < report_year):
        category = "cleared"
    else:
        category = "never"
    in_a_row = 0
    while district in history.get(report_year - in_a_row, {}) and history[report_year - in_a_row][district].flagged:
        in_a_row += 1
    row = {"flag_1": now.raised[0], "flag_2": now.raised[1], "flag_3": now.raised[2], "flagged": now.flagged, "category": category,
           "years_in_a_row": in_a_row}
    for group in DECIDING:
        new, old = now.differences[group], then.differences[group] if then else None
        row[f"progress_{group}"] = None if new is None or old is None else "progress" if new > old else "worse" if new < old else "same"
    return row


# ---------------------------------------------------------------- admission

def percent_of(part, whole):
    """100 part / whole, or None."""
    return None if whole == 0 else 100 * part / whole


def groups_if_known(year, student_id):
    """The groups of a student by the secondary row, nontraditional left out; only `all` for one who is not known."""
    groups = [("all", "all")]
    if student_id is not None and student_id in year.people:
        groups += person_groups(year.people[student_id]["secondary"], "secondary")
    return groups


class Applicant:
    """An applicant of a district: the fall row is the outcome, and what it does not tell is as in spring."""

    def __init__(self, year, rounds):
        last, spring = rounds.get("fall") or rounds["spring"], rounds.get("spring")
        told = lambda name: getattr(last, name) if getattr(last, name) is not None or spring is None else getattr(spring, name)
        self.rounds = rounds
        self.outcome = last.outcome
        self.student_id = told("student_id")
        self.district_id = last.district_id
        self.person = self.student_id or (last.district_id, last.applicant_id)
        program = year.programs.get(told("program_id"))
        if program is not None and not program.approved:
            program = None                              # a startup program is in no count
        self.program_id = program.program_id if program else None
        self.institution_id = told("institution_id") or (program.institution_id if program else None)


def admission(year):
    """Applicants of the year of entry by state, district, institution, program and group; a person once in each figure."""
    rounds = defaultdict(dict)                          # (district, applicant) -> round -> row
    for row in year.data.rows["application"]:
        if row.school_year == year.year:
            rounds[row.district_id, row.applicant_id][row.round] = row
    procedures = {row.district_id: row for row in year.data.rows["admission_procedure"] if row.school_year == year.year}
    enrolled = {row.student_id for row in year.data.rows["enrollment"] if row.school_year == year.year}
    names = "applicants offered accepted declined waitlisted enrolled spring_applicants fall_applicants".split()
    cells = defaultdict(dict)                           # cell -> person -> names that are true
    applied_to = defaultdict(set)                       # (level, entity) -> districts
    for rows in rounds.values():
        one = Applicant(year, rows)
        true = {"applicants", one.outcome} | {f"{term}_applicants" for term in rows}
        if one.outcome in ("offered", "accepted", "declined"):
            true.add("offered")
        if one.outcome == "accepted" and one.student_id in enrolled:
            true.add("enrolled")
        entities = [("state", year.rules["state_code"]), ("district", one.district_id), ("institution", one.institution_id),
                    ("program", one.program_id)]
        for level, entity_id in entities:
            if entity_id is not None:
                applied_to[level, entity_id].add(one.district_id)
                for kind, code in groups_if_known(year, one.student_id):
                    cells[level, entity_id, kind, code].setdefault(one.person, set()).update(true)
    for (level, entity_id, kind, code), people in cells.items():
        counts = {name: sum(name in true for true in people.values()) for name in names}
        districts = applied_to[level, entity_id]
        procedure = procedures.get(next(iter(districts))) if len(districts) == 1 and level != "state" else None
        seats = procedure.seats if procedure and level == "district" else None
        yield {"report_year": year.year, "level": level, "entity_id": entity_id, "group_kind": kind, "group_code": code, **counts,
               "offer_rate": percent_of(counts["offered"], counts["applicants"]),
               "acceptance_rate": percent_of(counts["accepted"], counts["offered"]),
               "seats": seats, "applicants_per_seat": counts["applicants"] / seats if seats else None,
               "lottery": procedure.lottery if procedure else None, "apportionment": procedure.apportionment if procedure else None}


# ---------------------------------------------------------------- graduate follow-up

def follow_up(year):
    """The graduates of the school year before, by state, district, institution, program and group."""
    names = ["graduates", "responded", "placed"] + FOLLOW_UP_OUTCOMES.split()
    cells = defaultdict(lambda: dict.fromkeys(names, 0))
    for row in year.data.rows["graduate_follow_up"]:
        if row.school_year != year.year - 1 or row.student_id not in year.people:
            continue
        for level, entity_id in follow_up_entities(year, row):
            for kind, code in groups_if_known(year, row.student_id):
                cell = cells[level, entity_id, kind, code]
                cell["graduates"] += 1
                cell["responded"] += row.outcome != "unknown"
                cell["placed"] += row.outcome in FOLLOW_UP_PLACEMENT
                cell[row.outcome] += 1
    for (level, entity_id, kind, code), cell in cells.items():
        yield {"report_year": year.year, "level": level, "entity_id": entity_id, "group_kind": kind, "group_code": code, **cell,
               "response_rate": percent_of(cell["responded"], cell["graduates"]),
               "placement_rate": percent_of(cell["placed"], cell["graduates"])}


def follow_up_entities(year, row):
    """[(level, entity)] of a follow-up row: those of its program, approved as of the report year, else of the latest exit that names one."""
    entities = [("state", year.rules["state_code"])]
    program = year.programs.get(row.program_id)
    if program is not None and program.approved:
        return [entity for entity in program.entities if entity[0] != "grantee"]
    exits = []
    for left in year.data.of("exit", row.student_id):
        date = left.exit_date or datetime.date(left.school_year, 6, 30)
        exit_year = exit_year_of(left.exit_date) if left.exit_date else left.school_year
        if exit_year <= row.school_year and left.institution_id is not None:
            exits.append((exit_year, date, left.school_year, left.institution_id))
    if exits:
        institution = max(exits)[3]
        known = year.institutions.get(institution)
        if known is not None and known.institution_kind == "school" and known.district_id is not None:
            entities.append(("district", known.district_id))
        entities.append(("institution", institution))
    return entities
