"""One report year: who has which status, who counts in which indicator, and the figures."""

import datetime
from collections import defaultdict
from decimal import Decimal
from fractions import Fraction

from contract import DIPLOMAS, LEAVERS, OTHER_COMPLETIONS, REMOVALS
from data import (ALL_PLACEMENT_CODES, FOLLOW_UP_PLACEMENT, MIDDLE_GRADES, PLACEMENT_CODES, SECONDARY_GRADES, SUBJECT_OF, Program, Status,
                  cohort_year_of, exit_year_of, latest, person_groups, quarter_of, school_year_of, school_year_of_quarter,
                  second_quarter_after, student_row)
from rules import SECONDARY_INDICATORS


class Year:
    """Everything as of one report year."""

    def __init__(self, data, rules, year):
        self.data = data
        self.rules = rules
        self.year = year
        self.last_day = datetime.date(year, 6, 30)
        self.institutions = self.find_institutions()
        self.programs = self.find_programs()
        self.names = self.find_names()
        self.district_grantees = self.find_district_grantees()
        self.people = {}                                # student -> {level: the student row whose groups count}
        self.statuses = {}                              # student -> {program: Status}
        self.student_program = []
        self.indicator_membership = []
        # (indicator, level, entity, group_kind, group_code) -> [numerator, denominator]
        self.figures = defaultdict(lambda: [0, 0])
        # (education_level, status, level, entity, group_kind, group_code, career_cluster) -> students
        self.enrollment_counts = defaultdict(int)
        for student_id in sorted(data.students):
            self.do_student(student_id)

    # ------------------------------------------------ programs and entities

    def find_institutions(self):
        """institution -> its latest row."""
        found = {institution: latest(rows, self.year) for institution, rows in self.data.institution_rows.items()}
        return {institution: row for institution, row in found.items() if row is not None}

    def find_programs(self):
        programs = {}
        for program_id, rows in self.data.program_rows.items():
            row = latest(rows, self.year)
            if row is None:
                continue
            institution = self.institutions.get(row.institution_id)
            if institution is None:
                continue                     # left out, with a warning
            programs[program_id] = Program(self.data, row, institution, self.rules, self.year)
        return programs

    def find_names(self):
        """(level, entity) -> the latest name given."""
        names = {("state", self.rules["state_code"]): self.rules["state_name"]}
        rows = [row for row in self.data.rows["institution"] if row.school_year <= self.year]
        # of several rows of one year, that of the smallest institution_id: so it is written last
        rows.sort(key=lambda row: row.institution_id, reverse=True)
        rows.sort(key=lambda row: row.school_year)
        for row in rows:
            if row.institution_name is not None:
                names["institution", row.institution_id] = row.institution_name
            if row.district_id is not None and row.district_name is not None:
                names["district", row.district_id] = row.district_name
            names["grantee", row.grantee_id] = row.grantee_name
        for program_id, program_rows in self.data.program_rows.items():
            row = latest(program_rows, self.year)
            if row is not None:
                names["program", program_id] = row.program_name
        return names

    def name(self, level, entity_id):
        """The name of an entity, else its id; None for none."""
        return self.names.get((level, entity_id), entity_id)

    def find_district_grantees(self):
        """district -> the grantees of its institutions."""
        grantees = defaultdict(set)
        for row in self.institutions.values():
            if row.institution_kind == "school" and row.district_id is not None:
                grantees[row.district_id].add(row.grantee_id)
        return grantees

    def target(self, indicator, level, entity_id):
        """The target of an entity, or None."""
        if level == "state":
            grantee = None
        elif level == "grantee":
            grantee = entity_id
        elif level == "district":
            grantees = self.district_grantees[entity_id]
            grantee = next(iter(grantees)) if len(grantees) == 1 else None
        elif level == "institution":
            grantee = self.institutions[entity_id].grantee_id
        else:
            grantee = self.programs[entity_id].grantee_id
        own = self.data.targets.get((self.year, indicator, grantee))
        return own if own is not None else self.data.targets.get((self.year, indicator, None))

    # ------------------------------------------------ one student

    def do_student(self, student_id):
        rows = [row for row in self.data.students[student_id] if row.school_year <= self.year]
        if not rows:
            return                           # left out as of this year
        self.person = self.people[student_id] = {level: student_row(rows, level) for level in ("secondary", "postsecondary")}
        statuses = self.statuses[student_id] = self.find_statuses(student_id)
        if not statuses:
            return
        for program_id in sorted(statuses):
            program, status = self.programs[program_id], statuses[program_id]
            self.student_program.append({
                "report_year": self.year, "student_id": student_id, "program_id": program_id,
                "institution_id": program.institution_id, "district_id": program.district_id, "grantee_id": program.grantee_id,
                "education_level": program.level, "approval": program.approval, "cip_code": program.cip_code,
                "status": status.status, "credits": status.credits, "advanced_credits": status.advanced_credits,
                "cte_specific_credits": status.cte_specific_credits, "courses_passed": len(status.courses_passed),
                "first_school_year": min(status.years), "last_school_year": max(status.years),
                "is_primary": status.is_primary, "is_nontraditional": status.is_nontraditional})
        self.count_indicators(student_id, rows, statuses)
        self.count_enrollment(student_id, statuses)

    def find_statuses(self, student_id):
        """program -> Status, for each program with a course or program enrollment as of the year."""
        statuses = {}
        for course in self.data.of("cte_course", student_id):
            if course.school_year > self.year or course.program_id not in self.programs:
                continue
            status = statuses.setdefault(course.program_id, Status())
            status.years.add(course.school_year)
            status.course_years.add(course.school_year)
            is_secondary = self.programs[course.program_id].level == "secondary"
            if not course.passed or is_secondary and course.grade not in SECONDARY_GRADES:
                continue
            status.courses_passed.add(course.course_code)
            status.credits += course.credits_earned
            if course.course_level in ("intermediate", "advanced"):
                status.advanced_credits += course.credits_earned
            if course.cte_specific is not False:
                status.cte_specific_credits += course.credits_earned
        for enrolled in self.data.of("program_enrollment", student_id):
            if enrolled.school_year > self.year or enrolled.program_id not in self.programs:
                continue
            status = statuses.setdefault(enrolled.program_id, Status())
            status.years.add(enrolled.school_year)
            if enrolled.is_primary:
                status.flagged_years.add(enrolled.school_year)
            if enrolled.status == "completed" and enrolled.status_date <= self.last_day:
                offered = latest(self.data.program_rows[enrolled.program_id], school_year_of(enrolled.status_date))
                if offered is not None and offered.required_credits is not None:
                    if offered.required_credits < self.rules["short_program_credits"]:
                        status.completed_short_program = True
        for program_id, status in statuses.items():
            program = self.programs[program_id]
            status.status = self.status_of(program.level, status)
            status.is_nontraditional = self.person[program.level].gender in program.nontraditional_genders
        for level in ("secondary", "postsecondary"):
            self.mark_primary(level, statuses)
        return statuses

    def status_of(self, level, status):
        rules = self.rules
        courses = len(status.courses_passed)
        if level == "secondary":
            participant = (courses >= rules["secondary_participant_courses"] and status.credits >= rules["secondary_participant_credits"])
            concentrator = (courses >= rules["secondary_concentrator_courses"]
                            and status.credits >= rules["secondary_concentrator_credits"]
                            and status.advanced_credits >= rules["secondary_concentrator_advanced_credits"])
        else:
            participant = courses >= rules["postsecondary_participant_courses"]
            concentrator = (status.credits >= rules["postsecondary_concentrator_credits"]
                            and status.cte_specific_credits >= rules["postsecondary_concentrator_cte_specific_credits"])
            concentrator = concentrator or status.completed_short_program
        return "concentrator" if concentrator else "participant" if participant else "enrollee"

    def mark_primary(self, level, statuses):
        candidates = [program_id for program_id, status in statuses.items()
                      if status.status == "concentrator"
                      and self.programs[program_id].level == level and self.programs[program_id].approved]
        if not candidates:
            return
        flagged_years = set()
        for program_id in candidates:
            flagged_years |= statuses[program_id].flagged_years
        if flagged_years:
            last = max(flagged_years)
            candidates = [program_id for program_id in candidates if last in statuses[program_id].flagged_years]

        def rank(program_id):
            status = statuses[program_id]
            return (-status.credits, -status.advanced_credits, -len(status.course_years), -max(status.course_years, default=0), program_id)

        statuses[min(candidates, key=rank)].is_primary = True

    # ------------------------------------------------ exits

    def last_exit(self, student_id):
        """(year, date, school_year, kind) of the last exit that stands as of the year, or None."""
        school_years = [row.school_year for row in self.data.of("enrollment", student_id)
                        if row.grade != "PS" and row.school_year <= self.year]
        standing = []
        for row in self.data.of("exit", student_id):
            date = row.exit_date or datetime.date(row.school_year, 6, 30)
            year = exit_year_of(row.exit_date) if row.exit_date else row.school_year
            if year > self.year or self.rules["reading_exit_rows"] == "as_of" and row.school_year > self.year:
                continue
            came_back = any(school_year > year for school_year in school_years)
            if row.exit_kind in DIPLOMAS or not came_back:
                standing.append((year, date, row.school_year, row.exit_kind))
        return max(standing, default=None)

    # ------------------------------------------------ indicators

    def count_indicators(self, student_id, student_rows, statuses):
        candidates = [program_id for program_id in sorted(statuses) if statuses[program_id].status == "concentrator"]
        if not candidates:
            return
        self.exit = self.last_exit(student_id)
        self.cohort_year = cohort_year_of(student_rows)
        for indicator in self.rules["indicators"]:
            level = "secondary" if indicator in SECONDARY_INDICATORS else "postsecondary"
            rows = []
            for program_id in candidates:
                program, status = self.programs[program_id], statuses[program_id]
                if program.level != level:
                    continue
                kinds = set()
                if not program.approved:
                    exclusion, numerator = "startup_program", False
                else:
                    exclusion, numerator, kinds = self.judge(indicator, student_id, program, status)
                self.indicator_membership.append({
                    "report_year": self.year, "indicator": indicator, "student_id": student_id, "program_id": program_id,
                    "denominator": exclusion is None, "numerator": exclusion is None and numerator, "exclusion": exclusion})
                if exclusion is None:
                    rows.append((program, numerator, kinds))
            if rows:
                self.tally(indicator, rows, self.groups_of(student_id, level))

    def judge(self, indicator, student_id, program, status):
        """(exclusion or None, numerator, kinds of placement) of a candidate."""
        if indicator in ("1S1", "1S2"):
            return self.judge_graduation(self.year if indicator == "1S1" else self.year - 1)
        if indicator in SUBJECT_OF:
            return self.judge_proficiency(student_id, SUBJECT_OF[indicator])
        if indicator == "3S1":
            return self.judge_3s1(student_id)
        if indicator in ("4S1", "3P1"):
            return self.judge_nontraditional(indicator, student_id, program, status)
        if indicator in ("5S1", "5S2", "5S3"):
            return self.judge_quality(indicator, student_id, program)
        if indicator == "1P1":
            return self.judge_1p1(student_id, program)
        return self.judge_2p1(student_id, program)

    def graduated(self):
        """Is the last exit a diploma that graduates?"""
        return self.exit is not None and self.exit[3] in self.rules["graduating_diplomas"]

    def judge_graduation(self, cohort):
        if self.cohort_year != cohort:
            return "not_in_cohort", False, set()
        if self.exit is not None and self.exit[3] in REMOVALS:
            return "removed_from_cohort", False, set()
        return None, self.graduated(), set()

    def judge_proficiency(self, student_id, subject):
        proficient = {}                                 # year of a valid score -> proficient in it?
        for score in self.data.of("assessment", student_id):
            cut = self.data.cuts.get((score.school_year, subject, score.assessment_kind))
            if score.subject != subject or score.school_year > self.year:
                continue
            if not score.valid_score or score.performance_level is None or cut is None:
                continue
            year = score.school_year
            proficient[year] = proficient.get(year, False) or score.performance_level >= cut
        if self.rules["population_2s"] == "score_in_year":
            used = self.year if self.year in proficient else None
        else:
            if self.exit is None or self.exit[0] != self.year:
                return "not_exited", False, set()
            if self.exit[3] in REMOVALS:
                return "removed_from_cohort", False, set()
            used = max(proficient, default=None)
        if used is None:
            return "no_valid_score", False, set()
        return None, proficient[used], set()

    def judge_3s1(self, student_id):
        if self.exit is None or self.exit[0] != self.year - 1:
            return "not_exited", False, set()
        if self.exit[3] not in DIPLOMAS + OTHER_COMPLETIONS + LEAVERS:
            return "removed_from_cohort", False, set()
        if self.rules["quarter_3s1"] == "fall":
            quarter = (self.year - 1, 4)
        else:
            quarter = second_quarter_after(quarter_of(self.exit[1]))
        placed, kinds = self.placements(student_id, quarter)
        if self.rules["follow_up_in_3s1"]:
            for row in self.data.of("graduate_follow_up", student_id):
                if row.school_year == self.year - 1 and row.outcome in FOLLOW_UP_PLACEMENT:
                    placed = True
                    kinds |= {code for code, members in PLACEMENT_CODES.items() if FOLLOW_UP_PLACEMENT[row.outcome] in members}
        return None, placed, kinds

    def placements(self, student_id, quarter):
        """Is there a placement in the quarter, and of which codes?"""
        placed, kinds = False, set()
        for row in self.data.of("placement", student_id):
            if (row.placement_year, row.placement_quarter) != quarter or row.placement_kind == "not_placed":
                continue
            placed = True
            kinds |= {code for code, members in PLACEMENT_CODES.items() if row.placement_kind in members}
            if row.placement_kind == "employment":
                kinds |= {code for code, yes in (("high_skill", row.high_skill), ("high_wage", row.high_wage)) if yes}
        return placed, kinds

    def judge_nontraditional(self, indicator, student_id, program, status):
        if indicator == "4S1":
            enrolled = any(row.school_year == self.year and row.grade in SECONDARY_GRADES for row in self.data.of("enrollment", student_id))
        else:
            enrolled = self.year in status.years
        if not enrolled:
            return "not_enrolled", False, set()
        if self.rules["programs_4s1_3p1"] == "primary" and not status.is_primary:
            return "not_primary_program", False, set()
        if not program.has_traditional_gender:
            return "no_traditional_gender", False, set()
        return None, status.is_nontraditional, set()

    def judge_quality(self, indicator, student_id, program):
        if not self.graduated():
            return "not_graduated", False, set()
        if self.exit[0] != self.year:
            return "not_exited", False, set()
        if indicator == "5S1":
            return None, self.has_credential(student_id, program, datetime.date.min, datetime.date(self.year, 8, 31)), set()
        if indicator == "5S2":
            credits = sum(row.credits for row in self.data.of("postsecondary_credit", student_id)
                          if row.program_id == program.program_id and row.school_year <= self.year)
            return None, credits > 0, set()
        records = [row for row in self.data.of("work_based_learning", student_id)
                   if row.program_id == program.program_id and row.school_year <= self.year
                   and (row.started_on is None or row.started_on <= self.last_day)]
        hours = sum(row.hours or 0 for row in records)
        return None, bool(records) and hours >= self.rules["work_based_learning_hours"], set()

    def has_credential(self, student_id, program, first, last):
        for row in self.data.of("credential", student_id):
            if not row.recognized or not first <= row.earned_on <= last:
                continue
            if self.rules["whose_credential"] == "any_program" or row.program_id in (None, program.program_id):
                return True
        return False

    def status_dates(self, student_id, program, statuses):
        return [row.status_date for row in self.data.of("program_enrollment", student_id)
                if row.program_id == program.program_id and row.status in statuses
                and (self.rules["reading_completion_rows"] == "any" or row.school_year <= self.year)]

    def judge_1p1(self, student_id, program):
        quarters = set()
        for date in self.status_dates(student_id, program, ("completed",)):
            quarter = second_quarter_after(quarter_of(date))
            if self.rules["population_1p1"] == "completed_year_before":
                counts = school_year_of(date) == self.year - 1
            else:
                counts = school_year_of_quarter(quarter) == self.year
            if counts:
                quarters.add(quarter)
        if not quarters:
            return "not_completed", False, set()
        placed, kinds = False, set()
        for quarter in quarters:
            placed_then, kinds_then = self.placements(student_id, quarter)
            placed = placed or placed_then
            kinds |= kinds_then
        return None, placed, kinds

    def judge_2p1(self, student_id, program):
        statuses = ("completed",) if self.rules["population_2p1"] == "completed" else ("completed", "left")
        if not any(school_year_of(date) == self.year - 1 for date in self.status_dates(student_id, program, statuses)):
            return "not_completed", False, set()
        first = datetime.date(self.year - 2, 7, 1) if self.rules["window_2p1"] == "two_years" else datetime.date.min
        return None, self.has_credential(student_id, program, first, self.last_day), set()

    # ------------------------------------------------ groups and counting

    def groups_of(self, student_id, level):
        """[(group_kind, group_code)] of a student for indicators of a level; nontraditional by the rule."""
        groups = [("all", "all")] + person_groups(self.people[student_id][level], level)
        for program_id, status in self.statuses[student_id].items():
            program = self.programs[program_id]
            if program.level != level or not program.approved or status.status != "concentrator" or not status.is_nontraditional:
                continue
            if self.rules["nontraditional_group"] == "any_program" or status.is_primary:
                groups.append(("special_population", "nontraditional"))
                break
        return groups

    def tally(self, indicator, rows, groups):
        """Counts one student, once in each cell."""
        cells = {}                                      # cell -> in the numerator?
        for program, numerator, kinds in rows:
            row_groups = [(group, numerator) for group in groups]
            row_groups += [(("career_cluster", cluster), numerator) for cluster in program.clusters]
            if indicator in ("3S1", "1P1"):
                row_groups += [(("placement", code), code in kinds) for code in ALL_PLACEMENT_CODES]
            for level, entity_id in program.entities:
                for (kind, code), yes in row_groups:
                    cell = (indicator, level, entity_id, kind, code)
                    cells[cell] = cells.get(cell, False) or yes
        for cell, yes in cells.items():
            figure = self.figures[cell]
            figure[0] += yes
            figure[1] += 1

    def count_enrollment(self, student_id, statuses):
        populations = defaultdict(list)                 # (education_level, status) -> [(program, nontraditional in it)]
        for program_id, status in statuses.items():
            program = self.programs[program_id]
            if program.approved and self.year in status.years:
                if status.status in ("participant", "concentrator"):
                    populations[program.level, "participant"].append((program, status.is_nontraditional))
                if status.status == "concentrator":
                    populations[program.level, "concentrator"].append((program, status.is_nontraditional))
        middle = {course.program_id for course in self.data.of("cte_course", student_id)
                  if course.school_year == self.year and course.passed and course.grade in MIDDLE_GRADES}
        for program_id in middle:
            program = self.programs.get(program_id)
            if program is not None and program.approved and program.level == "secondary":
                populations["middle", "participant"].append((program, statuses[program_id].is_nontraditional))

        for (education_level, status_name), programs in populations.items():
            person_level = "postsecondary" if education_level == "postsecondary" else "secondary"
            groups = [("all", "all")] + person_groups(self.person[person_level], person_level)
            cells = set()
            for program, is_nontraditional in programs:
                row_groups = groups + ([("special_population", "nontraditional")] if is_nontraditional else [])
                for level, entity_id in program.entities:
                    for kind, code in row_groups:
                        for cluster in ["all"] + program.clusters:
                            cells.add((education_level, status_name, level, entity_id, kind, code, cluster))
            for cell in cells:
                self.enrollment_counts[cell] += 1

    # ------------------------------------------------ figures

    def status_of_figure(self, indicator, level, entity_id, kind, numerator, denominator):
        """(target, status) of a figure."""
        if kind == "placement":
            return None, None
        target = self.target(indicator, level, entity_id)
        if target is None:
            return None, None
        hundredths = int(target * 100)
        if numerator * 10000 >= hundredths * denominator:
            return target, "met"
        if numerator * 10000 * 100 >= self.rules["met_share_percent"] * hundredths * denominator:
            return target, "within_90"
        return target, "below_90"

    def all_status(self, indicator, level, entity_id):
        """The status of an entity's figure for all students, or None."""
        figure = self.figures.get((indicator, level, entity_id, "all", "all"))
        if figure is None:
            return None
        return self.status_of_figure(indicator, level, entity_id, "all", *figure)[1]

    def share(self, cell):
        """The exact numerator / denominator of a figure, or None."""
        figure = self.figures.get(cell)
        return None if figure is None else Fraction(figure[0], figure[1])
