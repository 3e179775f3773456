"""The Massachusetts and fiscal collections of the fuzzer, drawn after and apart from the students (fuzz.py)."""

import random
from collections import defaultdict

from contract import FOLLOW_UP_OUTCOMES, GRADES, OUTCOMES, SCHOOL_MEASURES

# What kind of CTE district: how its residents differ from who attends. Kinds change with the years, so flags come, stay and go.
KINDS = ("natural", "underrepresents", "underrepresents", "one_group", "nobody", "everybody", "other_grades", "tiny")


class More:
    """Adds rows to a Fuzz."""

    def __init__(self, fuzz, seed):
        self.fuzz = fuzz
        self.rng = fuzz.rng = random.Random(f"{seed} more")
        self.people = defaultdict(list)                 # student -> student rows
        for row in fuzz.rows["student"].values():
            self.people[row["student_id"]].append(row)
        self.enrolled = defaultdict(list)               # year -> enrollment rows
        for row in fuzz.rows["enrollment"].values():
            if row["student_id"] in self.people:
                self.enrolled[int(row["school_year"])].append(row)
        self.student_programs = defaultdict(set)
        for collection in ("cte_course", "program_enrollment"):
            for row in fuzz.rows[collection].values():
                self.student_programs[row["student_id"]].add(row["program_id"])
        districts = defaultdict(int)
        for row in fuzz.rows["institution"].values():
            if row["district_id"]:
                districts[row["district_id"]] += 1
        self.districts = sorted(districts)
        self.pools = {}
        # a CTE district without a school, and one that no school knows as of any year
        self.cte = self.districts[: max(6, len(self.districts) // 3)] + ["9990"]
        self.regions = [f"9{number:03d}" for number in range(8)]

    def add_all(self):
        self.cte_schools()
        self.residents()
        self.admissions()
        self.follow_up()
        self.pell()
        self.school_measures()
        self.fiscal()
        self.notes()

    # ------------------------------------------------ Massachusetts

    def cte_schools(self):
        """Regional schools with a ninth grade and a region whose shares are some points apart, so that every flag comes alone too."""
        fuzz, rng = self.fuzz, self.rng
        size = max(10, min(150, fuzz.n // 40))
        for number in range(8):
            school, district = f"CTE{number}", f"9{number:03d}"
            fuzz.institutions[school] = "school"
            apart = [(0.02, 0.02, 0.02), (0.1, 0.1, -0.05), (0.07, 0.08, -0.1), (0.2, -0.1, -0.1), (0, 0, 0), (0.12, 0.12, 0.12)][number % 6]
            for year in fuzz.years:
                fuzz.add("institution", school_year=year, institution_id=school, institution_name=f"Regional {number}",
                         institution_kind="school", district_id=district, district_name=f"Region {number}",
                         grantee_id=fuzz.grantees[0], grantee_name=f"Grantee {fuzz.grantees[0]}", federal_id=None)
                region = (0.6, 0.3, 0.2) if number < 6 else (1, 1, 1)
                luck = [rng.uniform(-0.04, 0.04) for _ in apart]
                ninth = [max(0, there - less + extra) for there, less, extra in zip(region, apart, luck)]
                grade = "10" if number == 7 else "09"   # one has no ninth grade
                for student in self.draw(year, size, ninth):
                    fuzz.add("enrollment", school_year=year, student_id=student, institution_id=school, grade=grade)
                for student in self.draw(year, 2 * size, region):
                    fuzz.add("resident", school_year=year, student_id=student, town=f"Town {number}", member_district_id=district,
                             grade=grade, out_of_district_placement=fuzz.bool(0.02))

    def draw(self, year, how_many, shares):
        """Different students with about these shares of color, disabilities and learners, one region's or school's only."""
        pools = self.pools.setdefault(year, defaultdict(list))
        if not pools:
            for student in sorted(self.people):
                if min(int(row["school_year"]) for row in self.people[student]) <= year:
                    pools[self.belongs(student)].append(student)
            for pool in pools.values():
                self.rng.shuffle(pool)
        found = []
        for _ in range(how_many):
            pool = pools[tuple(self.rng.random() < share for share in shares)]
            if pool:
                found.append(pool.pop())
        return found

    def kind(self, district, year):
        """Kinds turn every two years, for a third of the districts every year."""
        place = self.cte.index(district)
        return KINDS[(place + (year if place % 3 == 0 else year // 2)) % len(KINDS)]

    def belongs(self, student):
        """(is of color, has a disability, learns English) by the student's first row."""
        row = self.people[student][0]
        yes = lambda name: row[name].lower() in ("y", "yes", "true", "t", "1")
        return (row["race_ethnicity"] not in ("white", "unknown"), yes("individual_with_disability") or yes("section_504"),
                yes("english_learner"))

    def fits(self, kind, of_color, disability, learner):
        """How likely a student is to live in a district of a kind."""
        if kind == "underrepresents":
            return 0.02 + 0.3 * (of_color + 2 * disability + 2 * learner)
        if kind == "one_group":
            return 0.02 + 2 * learner
        if kind == "nobody":
            return 1 if not (of_color or disability or learner) else 0
        if kind == "everybody":
            return 3 if disability and learner else 0
        return 0.05 if kind == "tiny" else 0.5

    def residents(self):
        fuzz, rng = self.fuzz, self.rng
        for year in fuzz.years:
            grade_of = {row["student_id"]: row["grade"] for row in self.enrolled[year]}
            # residents who attend nothing, also those whose student row is older or newer than the year
            others = [student for student in self.people if student not in grade_of]
            for student in rng.sample(others, len(others) // 8):
                grade_of[student] = rng.choice(GRADES.split())
            kinds = [self.kind(district, year) for district in self.cte]
            for student, grade in grade_of.items():
                if fuzz.chance(0.1):
                    continue
                weights = [self.fits(kind, *self.belongs(student)) for kind in kinds]
                district = rng.choices(self.cte, weights)[0] if sum(weights) else self.cte[0]
                if self.kind(district, year) == "other_grades":
                    grade = "PS"
                elif fuzz.chance(0.05):
                    grade = rng.choice(GRADES.split())
                fuzz.add("resident", school_year=year, student_id=student, town=f"Town {rng.randrange(20)}",
                         member_district_id=district, grade=grade, out_of_district_placement=fuzz.bool(0.08))

    def program_known(self, programs, year):
        """One of the programs that has a row by the year, or None."""
        known = [program for program in sorted(programs) if self.fuzz.programs[program][0] <= year]
        return self.rng.choice(known) if known else None

    def admissions(self):
        fuzz, rng = self.fuzz, self.rng
        everyone = sorted(self.people)
        for year in fuzz.years:
            enrolled = sorted({row["student_id"] for row in self.enrolled[year]})
            for district in self.cte + self.regions + self.districts[-2:]:
                if fuzz.chance(0.1):
                    continue                            # applications of nobody
                schools = sorted({row["institution_id"] for row in fuzz.rows["institution"].values() if row["district_id"] == district})
                schools = (schools or list(fuzz.institutions)[:3]) + ["UNKNOWN9"]
                how_many = rng.randrange(1, max(4, fuzz.n // 40))
                for number in range(how_many):          # each district counts its applicants from 1
                    student = rng.choice(enrolled if enrolled and fuzz.chance(0.6) else everyone) if fuzz.chance(0.8) else None
                    values = self.application(year, schools)
                    rounds = fuzz.pick(("spring",), ("fall",), ("spring", "fall"), ("spring", "fall"))
                    for term in rounds:
                        if fuzz.chance(0.3):            # another school, program, outcome or no student in the other round
                            values = self.application(year, schools)
                        fuzz.add("application", school_year=year, round=term, district_id=district, applicant_id=f"A{number}",
                                 student_id=None if fuzz.chance(0.05) else student, **values)
                if fuzz.chance(0.85):
                    seats = max(0, how_many + fuzz.pick(-1, 0, 1, -how_many, 10, -(how_many // 2)))
                    fuzz.add("admission_procedure", school_year=year, district_id=district, seats=seats, apportionment=fuzz.yes(0.5),
                             lottery=fuzz.pick("none", "unweighted", "weighted"))

    def application(self, year, schools):
        fuzz = self.fuzz
        return {"institution_id": self.rng.choice(schools) if fuzz.chance(0.8) else None,
                "program_id": self.program_known(self.rng.sample(sorted(fuzz.programs), 3), year) if fuzz.chance(0.7) else None,
                "grade": fuzz.pick("08", "09", "09", "09", "10", "11", "12", "SP", "PS"),
                "lottery": fuzz.pick("none", "unweighted", "weighted"), "outcome": self.rng.choice(OUTCOMES.split() + ["accepted"] * 4)}

    def follow_up(self):
        fuzz, rng = self.fuzz, self.rng
        for row in list(fuzz.rows["exit"].values()):
            if row["student_id"] not in self.people or fuzz.chance(0.35):
                continue
            year = int(row["school_year"]) + fuzz.pick(0, 0, 0, 0, 0, 1, -1)
            self.follow(row["student_id"], year)
        for student in rng.sample(sorted(self.people), len(self.people) // 20):
            self.follow(student, rng.choice(fuzz.years))

    def follow(self, student, year):
        fuzz = self.fuzz
        mine = self.student_programs[student] or set(list(fuzz.programs)[:2])
        program = self.program_known(mine if fuzz.chance(0.9) else self.rng.sample(sorted(fuzz.programs), 2), year)
        fuzz.add("graduate_follow_up", school_year=year, student_id=student, program_id=program if fuzz.chance(0.7) else None,
                 outcome=self.rng.choice(FOLLOW_UP_OUTCOMES.split() + ["unknown", "unemployed"]))

    def pell(self):
        fuzz, rng = self.fuzz, self.rng
        colleges = [institution for institution, kind in fuzz.institutions.items() if kind == "college"] + ["UNKNOWN9"]
        for row in list(fuzz.rows["program_enrollment"].values()) + rng.sample(list(fuzz.rows["cte_course"].values()), fuzz.n // 4):
            if row["student_id"] not in self.people or not fuzz.chance(0.3):
                continue
            year = int(row["school_year"])
            if fuzz.programs[row["program_id"]][1] == "college" or fuzz.chance(0.03):
                program = fuzz.pick(row["program_id"], row["program_id"], None, self.program_known(rng.sample(sorted(fuzz.programs), 3), year))
                fuzz.add("pell", school_year=year, student_id=row["student_id"], institution_id=rng.choice(colleges), program_id=program,
                         award_amount=fuzz.pick("0", "0.01", "1500", "7395.00", f"{rng.randrange(739500) / 100:.2f}"))

    def school_measures(self):
        fuzz, rng = self.fuzz, self.rng
        schools = [institution for institution, kind in fuzz.institutions.items() if kind == "school"][:30] + ["UNKNOWN9"]
        for year in fuzz.years:
            for school in schools:
                for measure in SCHOOL_MEASURES.split():
                    if fuzz.chance(0.7):
                        denominator = fuzz.pick(0, 1, 3, 10, 20, rng.randrange(1, 200))
                        fuzz.add("school_measure", school_year=year, institution_id=school, measure=measure,
                                 numerator=fuzz.pick(0, denominator, denominator / 2, rng.randrange(denominator + 1)), denominator=denominator)

    # ------------------------------------------------ fiscal

    def fiscal(self):
        fuzz, rng = self.fuzz, self.rng
        for number, year in enumerate(fuzz.years):
            award = fuzz.pick("20000000.00", "5000000", "1000000", "12345678.91")
            if number % 5 != 4:                         # a year without an allocation
                fuzz.add("allocation", program_year=year, state_name="A State", award_number=f"V048A{year}", award_amount=award,
                         accounting_basis=fuzz.pick("cash", "accrual"))
            self.subawards(year)
            reports = (("interim", "final"), ("interim",), ("final",), ("interim", "final"), ())[number % 5]
            for report in reports:
                authorized = self.authorized(float(award))
                for line, amount in authorized.items():
                    if fuzz.chance(0.08):
                        continue                        # a line that is not there
                    spent = fuzz.pick(amount, amount, amount / 2, 0, amount + 0.01)
                    money = lambda value: f"{value:.2f}"
                    fuzz.add("outlay", program_year=year, report=report, row=fuzz.pick(line, line.lower()),
                             previously_reported=money(0 if report == "interim" else fuzz.pick(0, amount / 4)),
                             total_outlays=money(spent), program_income=fuzz.pick("0", "0", "0.01", "100"),
                             non_federal_share=fuzz.pick("0", "0.00", money(spent / 10)),
                             unliquidated_obligations=money(fuzz.pick(0, amount - spent, 0.01)), funds_authorized=money(amount))

    def authorized(self, award):
        """The amounts of the entered lines, at the limits of the law or a cent beyond."""
        pick = self.fuzz.pick
        local = award * 85 / 100 + pick(0, 0, -0.01, 0.01)
        reserve = local * 15 / 100 + pick(0, -0.01, 0.01)
        formula = local - reserve
        leadership = award * 10 / 100 + pick(0, 0, 0.01, -0.01)
        nontraditional = pick(60000, 59999.99, 150000, 150000.01)
        institutions = award * 2 / 100 + pick(0, 0.01, -0.01)
        special = min(leadership / 1000, 50000) + pick(0, 0.01, -0.01)
        return {"A": reserve / 2, "B": reserve - reserve / 2, "D": formula * 0.6, "E": formula - formula * 0.6, "H": institutions,
                "I": nontraditional, "J": special, "K": leadership - institutions - nontraditional - special,
                "M": pick(250000, 250000.01, award * 5 / 100, award * 5 / 100 + 0.01)}

    def subawards(self, year):
        fuzz, rng = self.fuzz, self.rng
        for section in ("131", "132"):
            for number, grantee in enumerate(fuzz.grantees[:12]):
                code = fuzz.pick(0, 0, 1, 2, 3)
                agent = fuzz.pick("Y", "N", None) if code else fuzz.pick(None, "N")
                award = rng.randrange(1, 90000000) / 100
                fuzz.add("subaward", program_year=year, section=section, recipient_id=grantee, recipient_name=f"Recipient {grantee}",
                         federal_id=fuzz.pick("4100001", "208001", "41X0001", "1"), formula_allocation=f"{award:.2f}",
                         final_award=fuzz.pick("0", f"{award:.2f}", f"{award * 2:.2f}"), consortium_code=code,
                         consortium_id=f"CON{number // 3}" if code and fuzz.chance(0.9) else None, is_fiscal_agent=agent)

    def notes(self):
        """Notes on the federal forms: on a form, a line, a column, a cell; in any letter case; on lines and columns that are not there."""
        lines = [None, "Male", "GRAND TOTAL", "grand total - unduplicated", "Group 6: White", "White", "Migrant Students", "Homeless Individuals", "Nobody"]
        columns = [None, "number", "Number", "numerator", "denominator", "Finance", "health science", "nothing"]
        forms = ["1a", "1b", "1B", "1c", "2a", "2b", "3:1S1", "3:2s1", "3:3S1", "3:4S1", "3:1P1", "9"]
        for year in self.fuzz.years:
            for form in forms:
                if self.rng.random() < 0.6:
                    self.fuzz.add("car_note", report_year=year, form=form, population=self.rng.choice(lines), column_name=self.rng.choice(columns),
                                  note="looked at")
