#!/usr/bin/env python3
"""Generates a small, nasty raw folder, the same for the same arguments, that touches every edge of the specification.

    fuzz.py --students 500 --seed 1 --out RAW_DIR [--years 2019..2024] [--dirt 0.005] [--over-limit]

--dirt P breaks about that share of the rows in every way of the checks table and writes harmless oddities (letter case, blanks,
byte-order marks, several files). A collection stays below the limit of rejected rows unless --over-limit is given.
"""

import argparse
import datetime
import random
import sys
from itertools import islice

from contract import COLLECTIONS, DIPLOMAS, EXIT_KINDS, FLAGS, LEAVERS, OTHER_COMPLETIONS, PLACEMENT_KINDS, RACES, REMOVALS, WBL_KINDS
from data import CLUSTERS, FOURTEEN_CLUSTERS
from dirt import spoil, write_folder
from fuzz_more import More
from intake import take_in, too_many_rejects
from rules import ALL_INDICATORS

PRINTED = {
    "agriculture_food_and_natural_resources": "Agriculture, Food & Natural Resources",
    "arts_av_technology_and_communications": "Arts, A/V Technology & Communications",
    "business_management_and_administration": "Business Management & Administration",
    "health_science": "Health Science",
    "law_public_safety_corrections_and_security": "Law, Public Safety, Corrections & Security",
    "science_technology_engineering_and_mathematics": "Science, Technology, Engineering & Mathematics",
    "transportation_distribution_and_logistics": "Transportation, Distribution & Logistics",
    "arts_entertainment_and_design": "Arts, Entertainment, & Design",
    "digital_technology": "Digital Technology",
}
SECONDARY_CREDITS = "0 0.01 0.25 0.49 0.5 0.50 0.75 0.99 1 1.0 1.00 1.25 1.5 2.00".split()
COLLEGE_CREDITS = "0 0.01 1 2.75 2.99 3 3.00 3.01 4 4.5 6 9.00 11.99 12".split()
NAMES = ["Ana", "José", "Zoë", "O'Neil", 'He said "hi"', "Li, Wei", "Müller", ""]


class Fuzz:
    """Builds the rows of all collections as dicts of text."""

    def __init__(self, students, seed, first_year, last_year):
        self.rng = random.Random(seed)
        self.seed = seed
        self.n = students
        self.first, self.last = first_year, last_year
        self.years = list(range(first_year, last_year + 1))
        self.rows = {name: {} for name in COLLECTIONS}
        # the framework of 2024 once a year needs it; codes of the other framework are ignored
        self.cluster_pool = CLUSTERS + FOURTEEN_CLUSTERS if last_year >= 2027 else CLUSTERS

    # ------------------------------------------------ helpers

    def chance(self, share):
        return self.rng.random() < share

    def pick(self, *values):
        return self.rng.choice(values)

    def weighted(self, **weights):
        return self.rng.choices(list(weights), weights=list(weights.values()))[0]

    def add(self, collection, **values):
        """Adds a row unless its key is there already (so nothing conflicts by chance)."""
        fields = COLLECTIONS[collection]
        row = {field.name: "" if values.get(field.name) is None else str(values[field.name]) for field in fields}
        key = tuple(row[field.name] for field in fields if field.is_key)
        self.rows[collection].setdefault(key, row)

    def recent(self, collection, how_many):
        """The rows added last, oldest first."""
        return list(islice(reversed(self.rows[collection].values()), how_many))[::-1]

    def bool(self, share=0.5, null=0.3):
        if self.chance(null):
            return None
        return self.pick("Y", "yes", "TRUE", "t", "1") if self.chance(share) else self.pick("N", "no", "False", "F", "0")

    def yes(self, share=0.9):
        return self.bool(share, null=0)

    def day_in(self, year, edges=()):
        """A date of the school year, often at an edge."""
        if edges and self.chance(0.5):
            return self.pick(*edges)
        return datetime.date(year - 1, 7, 1) + datetime.timedelta(days=self.rng.randrange(365))

    # ------------------------------------------------ entities

    def entities(self):
        rng = self.rng
        grantee_count = max(5, min(40, self.n // 100))
        school_count = max(8, min(200, self.n // 40))
        college_count = max(4, min(30, self.n // 120))
        grantees = [f"G{number:02d}" for number in range(1, grantee_count + 1)]
        self.grantees = grantees
        self.institutions = {}                          # id -> kind in its first year
        plans = []
        for number in range(school_count):
            # districts hold two schools; in every fifth they belong to two grantees; some schools have no district
            grantee = grantees[(number // 4 + (number % 10 == 3)) % grantee_count]
            district = f"{number // 2:04d}" if number % 10 != 7 else None
            plans.append((f"{number:03d}S" if number % 3 else f"0{number:03d}", "school", district, grantee))
        for number in range(college_count):
            # colleges and schools in one grantee; some colleges give a district, which does not count
            district = "0001" if number % 4 == 3 else None
            plans.append((f"C{number:02d}", "college", district, grantees[(number * 2) % grantee_count]))
        for number, (institution, kind, district, grantee) in enumerate(plans):
            self.institutions[institution] = kind
            special = number % 12
            begins = self.years[2] if special == 3 else self.first
            ends = self.years[-3] if special == 5 else self.last
            for year in self.years:
                if not begins <= year <= ends or special == 6 and year % 2:
                    continue
                late = year >= self.years[len(self.years) // 2]
                its_grantee = grantees[(grantees.index(grantee) + 1) % grantee_count] if special == 1 and late else grantee
                its_district = "0000" if special == 2 and late and kind == "school" else district
                its_kind = kind
                if special == 4 and late and number % 24 == 4:
                    its_kind = "college" if kind == "school" else "school"
                name = f"{kind.title()} {institution}" + (" renamed" if special == 7 and late else "")
                if special == 8 or special == 9 and late:
                    name = None
                self.add("institution", school_year=year, institution_id=institution, institution_name=name, institution_kind=its_kind,
                         district_id=its_district, district_name=self.district_name(its_district, year), grantee_id=its_grantee,
                         grantee_name=f"Grantee {its_grantee}" + (f" of {year}" if its_grantee == "G02" else ""),
                         federal_id=self.pick(None, "4100001", "208000"))
        # known only after some programs and courses, and never known
        self.institutions["UNKNOWN1"] = "school"
        self.institutions["UNKNOWN2"] = "college"
        self.crosswalk()
        program_count = max(24, min(900, self.n // 12))
        self.programs = {}                              # id -> (first year, kind of institution)
        homes = list(self.institutions)
        for number in range(program_count):
            institution = homes[number % len(homes)] if number < 2 * len(homes) else rng.choice(homes[: max(6, len(homes) // 3)])
            if institution.startswith("UNKNOWN") and number >= len(homes):
                institution = homes[0]
            self.program(f"{self.pick('P', 'p', 'Q-', '0')}{number}", institution, homes)

    def district_name(self, district, year):
        if district is None or (int(district) % 6 == 3 and year % 2) or int(district) % 6 == 5:
            return None
        return f"District {district}" + (" since 2022" if int(district) % 6 == 1 and year >= 2022 else "")

    def crosswalk(self):
        """CIP codes with no, one, two and three rows, for F, M, both and nobody."""
        rng = self.rng
        genders = [(None,), ("F",), ("M",), ("F", "M"), (None, "F"), ("M", None, "F"), ("F", "F"), (None, None, None)]
        self.cips = []
        for number in range(26):
            cip = f"{1 + number * 2:02d}.{rng.randrange(10000):04d}"
            self.cips.append(cip)
            if number % 9 == 8:
                continue                                # no row
            labels = rng.sample(self.cluster_pool, 3)
            for label, gender in zip(labels, genders[number % len(genders)]):
                if number % 5 == 1 and label in PRINTED:
                    label = PRINTED[label]
                if number == 12 or number == 13 and label == labels[0]:
                    label = f"No Such Cluster {label[:3]}"
                self.add("crosswalk", cip_code=self.cip_text(cip), career_cluster=label, nontraditional_for=gender)

    def cip_text(self, cip):
        digits = cip.replace(".", "")
        return self.pick(cip, cip, digits, digits.lstrip("0") if len(digits.lstrip("0")) == 5 else digits)

    def clusters_text(self):
        label = lambda: (lambda code: PRINTED.get(code, code) if self.chance(0.4) else code)(self.rng.choice(self.cluster_pool))
        return self.pick(None, None, None, label(), f"{label()};{label()}", f"{label()} ; Unheard Of", f"{label()};{label()}; ",
                         "Unheard Of", "HEALTH_SCIENCE", "health science;Health Science")

    def program(self, program_id, institution, homes):
        rng = self.rng
        first = self.first if self.chance(0.8) else rng.choice(self.years[:3])
        self.programs[program_id] = (first, self.institutions[institution])
        cip, cluster = rng.choice(self.cips), self.clusters_text()
        kind_of_change = rng.randrange(10)
        turn = rng.choice(self.years[1:])
        required = self.pick(None, None, "0", "9", "9.00", "11.99", "12", "12.00", "45.5")
        approval = "approved" if self.chance(0.85) else "startup"
        for year in self.years:
            if year < first or year > first and self.chance(0.12):
                continue                                # no row this year: the latest stands
            if year == turn and kind_of_change == 0:
                institution = rng.choice([home for home in homes if self.institutions[home] == self.institutions[institution]])
            if year == turn and kind_of_change == 1:
                cip = rng.choice(self.cips)
            if year == turn and kind_of_change == 2:
                cluster = self.clusters_text()
            if year == turn and kind_of_change in (3, 4):
                approval = "startup" if approval == "approved" else "approved"
            if year == turn and kind_of_change == 5:
                required = self.pick(None, "6", "11.99", "12", "60")
            self.add("program", school_year=year, program_id=program_id, institution_id=institution,
                     program_name=f"Program {program_id} {year % 3}", cip_code=self.cip_text(cip), approval=approval,
                     required_credits=required, career_cluster=cluster)

    def cuts_and_targets(self):
        rng = self.rng
        for year in self.years:
            for subject in ("reading_language_arts", "mathematics", "science"):
                for kind in ("general", "alternate"):
                    if (year + len(subject) + len(kind)) % 7 != 0:
                        self.add("proficiency_cut", school_year=year, subject=subject, assessment_kind=kind,
                                 lowest_proficient_level=rng.randrange(1, 6))
        for year in range(self.first, self.last + 2):
            for indicator in ALL_INDICATORS:
                if not (indicator == "1S2" or indicator == "5S3" and year % 3 == 0 or indicator == "3P1" and year % 2):
                    self.add("target", report_year=year, indicator=indicator, grantee_id=None, target_percent=self.percent())
                for grantee in self.grantees:
                    if self.chance(0.25):
                        self.add("target", report_year=year, indicator=indicator, grantee_id=grantee, target_percent=self.percent())

    def percent(self):
        return self.pick("0", "0.00", "100", "100.00", "50", "33.33", "33.34", "55.55", "55.56", f"{self.rng.randrange(10001) / 100:.2f}",
                         f"{self.rng.randrange(5000, 9900) / 100:.2f}", "80.0", "90", "97.5")

    # ------------------------------------------------ students

    def students(self):
        rng = self.rng
        secondary = [program for program, (_, kind) in self.programs.items() if kind == "school"]
        college = [program for program, (_, kind) in self.programs.items() if kind == "college"]
        for number in range(self.n):
            student = self.pick(f"{number:06d}", f"S{number}", f"s-{number}", f"É{number}")
            path = self.weighted(secondary=60, college=22, both=10, middle=6, strange=2)
            person = {"gender": self.weighted(F=45, M=45, X=6, U=4), "race_ethnicity": rng.choice(RACES.split()),
                      "first_name": rng.choice(NAMES), "last_name": rng.choice(NAMES),
                      "birth_date": datetime.date(rng.randrange(1995, 2012), rng.randrange(1, 13), rng.randrange(1, 29))}
            flags = {flag for flag in FLAGS if self.chance(0.12)}
            cohort = rng.randrange(self.first, self.last + 4)
            if path == "middle":
                cohort = rng.randrange(self.last, self.last + 6)
            if path in ("secondary", "both", "middle"):
                self.school_years(student, person, flags, cohort, secondary, college if self.chance(0.05) else secondary)
            if path in ("college", "both"):
                begins = rng.randrange(self.first, self.last + 1) if path == "college" else min(self.last, max(self.first, cohort + 1))
                # a high-school student may also be at a college in the same year
                if path == "both" and self.chance(0.3):
                    begins = max(self.first, begins - 2)
                self.college_years(student, person, flags, begins, college, secondary if self.chance(0.05) else college)
            if path == "strange":
                self.strange(student, person, flags, cohort, secondary, college)
            self.credentials(student)

    def person_row(self, student, year, level, person, flags, cohort):
        if self.chance(0.02):
            person = {**person, "gender": self.pick("F", "M", "X", "U"), "race_ethnicity": self.rng.choice(RACES.split())}
        now = {flag for flag in FLAGS if (flag in flags) != self.chance(0.05)}
        values = {flag: self.pick("Y", "yes", "T", "1") if flag in now else self.pick(None, None, "N", "false", "0") for flag in FLAGS}
        self.add("student", school_year=year, student_id=student, education_level=level, cohort_year=cohort, **person, **values)

    def take_course(self, student, year, program, grade, college):
        rng = self.rng
        first, _ = self.programs[program]
        if year < first:
            return
        self.add("cte_course", school_year=year, student_id=student, program_id=program,
                 course_code=f"{program}-{rng.randrange(1, 7)}", term=self.pick(None, None, "T1", "T2", "fall"),
                 grade=grade if self.chance(0.97) else self.pick("06", "07", "08", "PS", "SP", "12"),
                 course_level=self.pick("introductory", "introductory", "intermediate", "intermediate", "advanced"),
                 credits_earned=rng.choice(COLLEGE_CREDITS if college else SECONDARY_CREDITS), passed=self.yes(0.88),
                 cte_specific=self.pick(None, "Y", "Y", "N"))

    def enrol(self, student, year, program, statuses, primary=0.3):
        first, _ = self.programs[program]
        if year < first:
            return
        status = self.rng.choice(statuses)
        date = None
        if status != "enrolled" or self.chance(0.05):
            of = year if self.chance(0.75) else year + self.pick(-2, -1, -1, 1)
            edges = [datetime.date(of, 6, 30), datetime.date(of, 7, 1), datetime.date(of - 1, 7, 1), datetime.date(of - 1, 6, 30),
                     datetime.date(of - 1, 12, 31), datetime.date(of, 1, 1), datetime.date(of, 3, 31), datetime.date(of, 4, 1)]
            date = self.day_in(of, edges)
        self.add("program_enrollment", school_year=year, student_id=student, program_id=program, is_primary=self.bool(primary),
                 status=status, status_date=date)
        if status != "enrolled":
            self.place(student, date)

    def place(self, student, date):
        """Placements in the quarters after a date."""
        if date is None or self.chance(0.2):
            return
        start = date.year * 4 + (date.month - 1) // 3
        for _ in range(self.rng.randrange(1, 4)):
            index = start + self.pick(0, 1, 2, 2, 2, 2, 3, 4)
            if self.chance(0.2):
                index = date.year * 4 + 3               # the fall quarter
            self.add("placement", student_id=student, placement_year=index // 4, placement_quarter=index % 4 + 1,
                     placement_kind=self.rng.choice(PLACEMENT_KINDS.split() + ["employment", "employment", "not_placed"]),
                     source=self.pick("clearinghouse", "wage_record", "survey", "registry", "other"),
                     high_skill=self.bool(), high_wage=self.bool())

    def school_years(self, student, person, flags, cohort, programs, other_programs):
        rng = self.rng
        # most students are in large programs at the front of the list, so that counts are not all one
        pool = programs[: max(4, len(programs) // 8)] if self.chance(0.6) else programs
        mine = [rng.choice(pool) for _ in range(self.pick(1, 1, 1, 2, 2, 3, 4))]
        if self.chance(0.05):
            mine.append(rng.choice(other_programs))
        cohort_given = cohort if self.chance(0.93) else None
        student_rows_from = self.first if self.chance(0.94) else rng.choice(self.years)
        school = rng.choice(list(self.institutions))
        enrolled = []
        leaves = rng.choice(self.years) if self.chance(0.15) else None
        # equal credits in several programs, told apart by nothing, the levels, the number of years or the last year
        twin = self.pick("same", "levels", "fewer_years", "later") if self.chance(0.25) else None
        if twin:
            mine = list(dict.fromkeys(mine + [rng.choice(pool)]))
        for year in self.years:
            age_grade = 12 - (cohort - year)
            if age_grade < 6 or age_grade > 14:
                continue
            grade = f"{age_grade:02d}" if age_grade <= 12 else "SP"
            if age_grade > 12 and self.chance(0.8):
                continue
            if leaves == year and self.chance(0.6):
                continue                                # a year away
            enrolled.append(year)
            level = "middle" if age_grade < 9 else "secondary"
            if year >= student_rows_from and self.chance(0.95):
                if self.chance(0.03):
                    cohort_given = self.pick(cohort, cohort + 1, cohort - 1, None)
                self.person_row(student, year, level, person, flags, cohort_given)
                if self.chance(0.03):                   # two levels in one year
                    other = self.pick("middle", "secondary", "postsecondary")
                    self.person_row(student, year, other, {**person, "gender": self.pick("F", "M", "X")}, flags,
                                    self.pick(None, cohort, cohort + 1))
            if self.chance(0.93):
                self.add("enrollment", school_year=year, student_id=student, institution_id=school, grade=grade,
                         out_of_district_placement=self.bool(0.1))
            if self.chance(0.05):
                self.add("enrollment", school_year=year, student_id=student, institution_id=rng.choice(list(self.institutions)),
                         grade=self.pick("08", "09", "12", "SP", "PS"))
            for _ in range(rng.randrange(5) if age_grade >= 9 else rng.randrange(2)):
                self.take_course(student, year, mine[0] if twin else rng.choice(mine), grade, college=False)
            if self.chance(0.35):
                self.enrol(student, year, rng.choice(mine), ["enrolled"] * 8 + ["completed", "left"], primary=0.02 if twin else 0.3)
            if age_grade in (8, 11, 12) or self.chance(0.1):
                self.tests(student, year, grade)
            if self.chance(0.2):
                self.learning_at_work(student, year, rng.choice(mine))
            if self.chance(0.15):
                program = rng.choice(mine)
                if year >= self.programs[program][0]:
                    self.add("postsecondary_credit", school_year=year, student_id=student, program_id=program,
                             credit_kind=self.pick("dual_enrollment", "concurrent_enrollment", "articulated"),
                             credits=self.pick("0.01", "0.5", "3", "12.00"))
        if not enrolled:
            return
        if twin:
            self.copy_courses(student, mine, twin)
        if self.chance(0.06):                           # a student row before or long after the rest
            self.person_row(student, rng.choice(self.years), "secondary", person, flags, cohort)
        self.exits(student, school, cohort, enrolled, leaves)

    def copy_courses(self, student, programs, twin):
        """Gives the other programs the courses of the first one, with the difference that `twin` names."""
        recent = self.recent("cte_course", 40)
        rows = [row for row in recent if row["student_id"] == student and row["program_id"] == programs[0]]
        years = sorted({int(row["school_year"]) for row in rows})
        for program in programs[1:]:
            if not years or years[0] < self.programs[program][0]:
                continue
            for number, row in enumerate(rows):
                copy = {**row, "program_id": program, "course_code": f"copy-{number}-of-{row['course_code']}"}
                if twin == "levels" and number % 2:
                    copy["course_level"] = "introductory" if row["course_level"] == "advanced" else "advanced"
                if twin == "fewer_years":
                    copy["school_year"] = years[-1]
                if twin == "later" and int(row["school_year"]) == years[-1] and years[-1] < self.last:
                    copy["school_year"] = years[-1] + 1
                self.add("cte_course", **copy)
            if self.chance(0.3):                        # years with a program enrollment are not years with a course
                self.enrol(student, self.last, self.pick(program, programs[0]), ["enrolled"], primary=0)

    def exits(self, student, school, cohort, enrolled, leaves):
        rng = self.rng
        years = []
        if cohort <= self.last + 1 and self.chance(0.85):
            years.append((cohort if self.chance(0.85) else cohort + self.pick(-1, 1), rng.choice(
                DIPLOMAS[:1] * 12 + DIPLOMAS * 2 + OTHER_COMPLETIONS + LEAVERS + REMOVALS)))
        if leaves is not None:
            years.append((leaves if self.chance(0.5) else leaves - 1, rng.choice(LEAVERS + REMOVALS + OTHER_COMPLETIONS)))
        if self.chance(0.08):
            years.append((rng.choice(enrolled) + self.pick(0, 1), rng.choice(EXIT_KINDS.split())))
        for year, kind in years:
            if year < self.first:
                continue
            edges = [datetime.date(year, 8, 31), datetime.date(year, 9, 1), datetime.date(year - 1, 8, 31), datetime.date(year - 1, 9, 1),
                     datetime.date(year, 6, 30), datetime.date(year, 7, 1), datetime.date(year, 3, 31), datetime.date(year, 4, 1)]
            date = None
            if self.chance(0.9):
                date = self.day_in(year, edges) if self.chance(0.5) else datetime.date(year, 6, rng.randrange(1, 30))
            # filed in another year's row, now and then
            filed = year if self.chance(0.9) else year + self.pick(-1, 1)
            self.add("exit", school_year=filed, student_id=student, exit_date=date, exit_kind=kind,
                     institution_id=self.pick(school, school, None, "UNKNOWN9"))
            self.place(student, date or datetime.date(filed, 6, 30))
            if self.chance(0.12) and year < self.last:  # back again, now and then in a grade that is odd
                self.add("enrollment", school_year=year + 1, student_id=student, institution_id=school,
                         grade=self.pick("06", "08", "09", "12", "SP", "PS", "PS"))

    def tests(self, student, year, grade):
        for subject in ("reading_language_arts", "mathematics", "science"):
            for kind, share in (("general", 0.75), ("alternate", 0.12)):
                if self.chance(share):
                    self.add("assessment", school_year=year, student_id=student, subject=subject, assessment_kind=kind, grade=grade,
                             performance_level=None if self.chance(0.06) else self.rng.randrange(1, 7), valid_score=self.yes(0.92))

    def learning_at_work(self, student, year, program):
        if year < self.programs[program][0]:
            return
        edges = (datetime.date(year, 6, 30), datetime.date(year, 7, 1), datetime.date(year - 1, 6, 30))
        date = None if self.chance(0.4) else self.day_in(year, edges)
        self.add("work_based_learning", school_year=year, student_id=student, program_id=program,
                 work_based_learning_kind=self.rng.choice(WBL_KINDS.split()), started_on=date,
                 hours=self.pick(None, "0", "0.5", "40", "120.25"))

    def college_years(self, student, person, flags, begins, programs, other_programs):
        rng = self.rng
        pool = programs[: max(3, len(programs) // 6)] if self.chance(0.6) else programs
        mine = [rng.choice(pool) for _ in range(self.pick(1, 1, 2, 2, 3))]
        if self.chance(0.05):
            mine.append(rng.choice(other_programs))
        for year in self.years:
            if year < begins or year > begins + 3:
                continue
            if self.chance(0.93):
                self.person_row(student, year, "postsecondary", {**person, "race_ethnicity": self.pick(person["race_ethnicity"], "unknown")}
                                if self.chance(0.05) else person, flags, None if self.chance(0.97) else year)
            if self.chance(0.5):
                self.add("enrollment", school_year=year, student_id=student, institution_id=rng.choice(list(self.institutions)), grade="PS")
            for _ in range(rng.randrange(5)):
                self.take_course(student, year, rng.choice(mine), "PS", college=True)
            if self.chance(0.7):
                self.enrol(student, year, rng.choice(mine), ["enrolled"] * 4 + ["completed"] * 4 + ["left"])
            if self.chance(0.05):
                self.learning_at_work(student, year, rng.choice(mine))
        self.ensure_student(student, person, flags, "postsecondary", begins)

    def ensure_student(self, student, person, flags, level, year):
        if not any(row["student_id"] == student for row in self.recent("student", 12)):
            self.person_row(student, max(self.first, min(self.last, year)), level, person, flags, None)

    def strange(self, student, person, flags, cohort, secondary, college):
        """Rows of one level and a student row of another, or a student row that comes late."""
        rng = self.rng
        kind = rng.randrange(4)
        program = rng.choice(secondary if kind != 1 else college)
        for year in self.years:
            for _ in range(2):
                self.take_course(student, year, program, "11" if kind != 1 else "PS", college=kind == 1)
            self.add("enrollment", school_year=year, student_id=student, institution_id=rng.choice(list(self.institutions)),
                     grade=self.pick("11", "12"))
        level = {0: "postsecondary", 1: "secondary", 2: "middle", 3: "secondary"}[kind]
        self.person_row(student, self.last if kind == 3 else self.first, level, person, flags, cohort)
        self.exits(student, "000S", min(cohort, self.last), self.years, None)

    def credentials(self, student):
        """Credentials at the edges of the windows, naming a program of the student, another or none."""
        rng = self.rng
        if self.chance(0.5):
            return
        recent = [row["program_id"] for row in self.recent("cte_course", 8) if row["student_id"] == student]
        for _ in range(self.pick(1, 1, 2)):
            left = [int(row["school_year"]) for row in self.recent("exit", 3) if row["student_id"] == student]
            year = rng.choice(left) if left and self.chance(0.6) else rng.choice(self.years + [self.last + 1])
            edges = (datetime.date(year, 6, 30), datetime.date(year, 7, 1), datetime.date(year, 8, 31), datetime.date(year, 9, 1),
                     datetime.date(year - 1, 7, 1))
            date = self.day_in(year, edges)
            program = self.pick(None, *recent[:2], rng.choice(list(self.programs)))
            self.add("credential", student_id=student, credential_code=f"IRC{rng.randrange(9)}", earned_on=date,
                     recognized=self.yes(0.8), program_id=program)

    def build(self):
        self.entities()
        self.cuts_and_targets()
        self.students()
        rng = self.rng
        More(self, self.seed).add_all()
        self.rng = rng
        known = {row["student_id"] for row in self.rows["student"].values()}
        tables = {}
        for name, rows in self.rows.items():
            fields = [field.name for field in COLLECTIONS[name]]
            tables[name] = [row for row in rows.values() if name == "student" or "student_id" not in fields or row["student_id"] in known or row["student_id"] == ""]
            self.rng.shuffle(tables[name])
        return tables


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--students", type=int, required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--years", default="2019..2024")
    parser.add_argument("--dirt", type=float, default=0.0)
    parser.add_argument("--over-limit", action="store_true", help="do not keep below the limit of rejected rows")
    options = parser.parse_args()
    first, last = (int(part) for part in options.years.split(".."))
    tables = Fuzz(options.students, options.seed, first, last).build()
    share = options.dirt
    while True:
        rng = random.Random(f"{options.seed} dirt")
        written = spoil(rng, tables, share) if options.dirt > 0 else tables
        write_folder(rng, written, options.out, odd=options.dirt > 0)
        _, rejects, counts = take_in(options.out)
        if options.over_limit or not too_many_rejects(counts, 1.0):
            break
        share /= 2
    rows = sum(count["read"] for count in counts.values())
    print(f"{options.out}: {rows} rows, {len(rejects)} of them to be rejected")
    if options.dirt == 0 and rejects:
        print(f"not clean: {rejects[:5]}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
