#!/usr/bin/env python3
"""An independent reference implementation of the specification, to compare the system against row for row.

    reference.py RAW_DIR --jurisdiction oregon --report-year 2024 --out DIR [--rule name=value]

Plain dicts and loops; no table engine; nothing of the system's SQL or Rust. DECISIONS.md lists where the text left a choice.
"""

import argparse
import csv
import datetime
import json
import os
import re
import sys
from collections import defaultdict
from decimal import Decimal
from fractions import Fraction

from contract import DIPLOMAS, LEAVERS, OTHER_COMPLETIONS, REMOVALS
from intake import take_in, too_many_rejects
from rules import SECONDARY_INDICATORS, rules_of

SECONDARY_GRADES = {"09", "10", "11", "12", "SP"}
MIDDLE_GRADES = {"06", "07", "08"}
CLUSTERS = """agriculture_food_and_natural_resources architecture_and_construction arts_av_technology_and_communications
    business_management_and_administration education_and_training finance government_and_public_administration health_science
    hospitality_and_tourism human_services information_technology law_public_safety_corrections_and_security manufacturing marketing
    science_technology_engineering_and_mathematics transportation_distribution_and_logistics""".split()
SUBJECT_OF = {"2S1": "reading_language_arts", "2S2": "mathematics", "2S3": "science"}
PLACEMENT_CODES = {
    "advanced_training": ["registered_apprenticeship", "pre_apprenticeship", "adult_technical_center", "other_advanced_training"],
    "registered_apprenticeship": ["registered_apprenticeship"],
    "pre_apprenticeship": ["pre_apprenticeship"],
    "adult_technical_center": ["adult_technical_center"],
    "other_advanced_training": ["other_advanced_training"],
    "military": ["military"],
    "service": ["national_service", "peace_corps"],
    "employment": ["employment"],
    "postsecondary": ["postsecondary_certificate", "postsecondary_associate", "postsecondary_baccalaureate", "postsecondary_other"],
    "certificate": ["postsecondary_certificate"],
    "associate": ["postsecondary_associate"],
    "baccalaureate": ["postsecondary_baccalaureate"],
}
ALL_PLACEMENT_CODES = list(PLACEMENT_CODES) + ["high_skill", "high_wage"]
FOLLOW_UP_PLACEMENT = {
    "employed_related": "employment", "employed_unrelated": "employment", "apprenticeship": "registered_apprenticeship",
    "four_year_college": "postsecondary_baccalaureate", "two_year_college": "postsecondary_associate",
    "other_postsecondary": "postsecondary_other", "military": "military", "service": "national_service",
}


# ---------------------------------------------------------------- dates

def school_year_of(day):
    """The school year, 1 July to 30 June, of a date."""
    return day.year + 1 if day.month >= 7 else day.year


def exit_year_of(day):
    """The year of an exit's date: 1 September Z-1 to 31 August Z is Z."""
    return day.year + 1 if day.month >= 9 else day.year


def quarter_of(day):
    """(year, quarter) of a date."""
    return day.year, (day.month + 2) // 3


def second_quarter_after(quarter):
    """The second quarter after a quarter."""
    index = quarter[0] * 4 + quarter[1] - 1 + 2
    return index // 4, index % 4 + 1


def school_year_of_quarter(quarter):
    """The school year in which a calendar quarter lies."""
    return quarter[0] + 1 if quarter[1] >= 3 else quarter[0]


# ---------------------------------------------------------------- career clusters

def cluster_code(label):
    """The code of a printed name or code: `Arts, A/V Technology & Communications` is arts_av_technology_and_communications."""
    text = label.strip().lower().replace("&", " and ").replace("/", "")
    return re.sub(r"[^a-z0-9]+", "_", text).strip("_")


def known_clusters(labels):
    """The codes of the framework among labels; others are ignored."""
    return sorted({cluster_code(label) for label in labels} & set(CLUSTERS))


# ---------------------------------------------------------------- the data by student

class Data:
    """The accepted rows, indexed."""

    def __init__(self, rows):
        self.rows = rows
        self.students = defaultdict(list)               # student -> rows
        for row in rows["student"]:
            self.students[row.student_id].append(row)
        self.by_student = {}
        for collection in ("enrollment", "program_enrollment", "cte_course", "assessment", "exit", "placement",
                           "work_based_learning", "credential", "postsecondary_credit", "graduate_follow_up"):
            index = self.by_student[collection] = defaultdict(list)
            for row in rows[collection]:
                index[row.student_id].append(row)
        self.program_rows = defaultdict(list)           # program -> rows, oldest first
        for row in sorted(rows["program"], key=lambda row: row.school_year):
            self.program_rows[row.program_id].append(row)
        self.institution_rows = defaultdict(list)       # institution -> rows, oldest first
        for row in sorted(rows["institution"], key=lambda row: row.school_year):
            self.institution_rows[row.institution_id].append(row)
        self.crosswalk = defaultdict(list)              # CIP -> rows
        for row in rows["crosswalk"]:
            self.crosswalk[row.cip_code].append(row)
        self.cuts = {(row.school_year, row.subject, row.assessment_kind): row.lowest_proficient_level for row in rows["proficiency_cut"]}
        self.targets = {(row.report_year, row.indicator, row.grantee_id): row.target_percent for row in rows["target"]}

    def of(self, collection, student_id):
        """The rows of a student in a collection."""
        return self.by_student[collection].get(student_id, [])


def latest(rows, year):
    """The latest of rows (oldest first) with school_year <= year, or None."""
    found = None
    for row in rows:
        if row.school_year <= year:
            found = row
    return found


class Program:
    """A program as of a year: its latest row and its institution's latest row."""

    def __init__(self, data, row, institution, rules):
        self.program_id = row.program_id
        self.approved = row.approval == "approved"
        self.approval = row.approval
        self.cip_code = row.cip_code
        self.institution_id = row.institution_id
        self.level = "secondary" if institution.institution_kind == "school" else "postsecondary"
        self.district_id = institution.district_id if self.level == "secondary" else None
        self.grantee_id = institution.grantee_id
        crosswalk = data.crosswalk.get(row.cip_code, [])
        self.nontraditional_for = {line.nontraditional_for for line in crosswalk} - {None}
        self.has_traditional_gender = bool(self.nontraditional_for)
        own = known_clusters((row.career_cluster or "").split(";"))
        self.clusters = own or known_clusters(line.career_cluster for line in crosswalk) or ["other"]
        if row.career_cluster is not None and not own and rules["reading_unknown_clusters"] != "crosswalk":
            self.clusters = ["other"] if rules["reading_unknown_clusters"] == "other" else []
        self.entities = [("state", rules["state_code"]), ("grantee", self.grantee_id)]
        if self.district_id is not None:
            self.entities.append(("district", self.district_id))
        self.entities += [("institution", self.institution_id), ("program", self.program_id)]
        gender_x = rules["gender_x_4s1"] if self.level == "secondary" else rules["gender_x_3p1"]
        if gender_x and self.has_traditional_gender:
            self.nontraditional_genders = self.nontraditional_for | {"X"}
        else:
            self.nontraditional_genders = self.nontraditional_for


class Status:
    """What a student did in a program, as of a year."""

    def __init__(self):
        self.credits = Decimal(0)
        self.advanced_credits = Decimal(0)
        self.cte_specific_credits = Decimal(0)
        self.courses_passed = set()
        self.years = set()                  # of any course or program enrollment
        self.course_years = set()
        self.flagged_years = set()          # is_primary
        self.completed_short_program = False
        self.status = "enrollee"
        self.is_primary = False
        self.is_nontraditional = False


STATUS_RANK = {"enrollee": 0, "participant": 1, "concentrator": 2}


# ---------------------------------------------------------------- one report year

class Year:
    """Everything as of one report year."""

    def __init__(self, data, rules, year):
        self.data = data
        self.rules = rules
        self.year = year
        self.last_day = datetime.date(year, 6, 30)
        self.programs = self.find_programs()
        self.names = self.find_names()
        self.district_grantees = self.find_district_grantees()
        self.student_program = []
        self.indicator_membership = []
        # (indicator, level, entity, group_kind, group_code) -> [numerator, denominator]
        self.figures = defaultdict(lambda: [0, 0])
        # (education_level, status, level, entity, group_kind, group_code, career_cluster) -> students
        self.enrollment_counts = defaultdict(int)
        for student_id in sorted(data.students):
            self.do_student(student_id)

    # ------------------------------------------------ programs and entities

    def find_programs(self):
        programs = {}
        for program_id, rows in self.data.program_rows.items():
            row = latest(rows, self.year)
            if row is None:
                continue
            institution = latest(self.data.institution_rows.get(row.institution_id, []), self.year)
            if institution is None:
                continue                     # left out, with a warning
            programs[program_id] = Program(self.data, row, institution, self.rules)
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

    def find_district_grantees(self):
        """district -> the grantees of its institutions."""
        grantees = defaultdict(set)
        for rows in self.data.institution_rows.values():
            row = latest(rows, self.year)
            if row is not None and row.institution_kind == "school" and row.district_id is not None:
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
            grantee = latest(self.data.institution_rows[entity_id], self.year).grantee_id
        else:
            grantee = self.programs[entity_id].grantee_id
        own = self.data.targets.get((self.year, indicator, grantee))
        return own if own is not None else self.data.targets.get((self.year, indicator, None))

    # ------------------------------------------------ one student

    def do_student(self, student_id):
        rows = [row for row in self.data.students[student_id] if row.school_year <= self.year]
        if not rows:
            return                           # left out as of this year
        self.person = {level: student_row(rows, level) for level in ("secondary", "postsecondary")}
        statuses = self.find_statuses(student_id)
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
                self.tally(indicator, rows, self.groups_of(level, statuses))

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

    def groups_of(self, level, statuses):
        """[(group_kind, group_code)] of a student for indicators of a level; nontraditional by the rule."""
        groups = [("all", "all")] + person_groups(self.person[level], level)
        for program_id, status in statuses.items():
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


def student_row(rows, level):
    """The latest row of a level (of the secondary and middle row of one year the secondary), else the latest of any."""
    levels = ("postsecondary",) if level == "postsecondary" else ("secondary", "middle")
    own = [row for row in rows if row.education_level in levels] or rows
    return max(own, key=lambda row: (row.school_year, row.education_level == "secondary", row.education_level == "middle"))


def cohort_year_of(rows):
    """The latest cohort year given."""
    given = [row for row in rows if row.cohort_year is not None]
    if not given:
        return None
    return max(given, key=lambda row: (row.school_year, row.education_level == "secondary", row.education_level == "middle")).cohort_year


def person_groups(row, level):
    """[(group_kind, group_code)] of a student row, `nontraditional` left out."""
    groups = [("gender", row.gender), ("race_ethnicity", row.race_ethnicity)]
    flags = {
        "individual_with_disability": row.individual_with_disability or row.section_504,
        "economically_disadvantaged": row.economically_disadvantaged,
        "single_parent": row.single_parent,
        "out_of_workforce": row.out_of_workforce,
        "english_learner": row.english_learner,
        "homeless": row.homeless,
        "foster_care": row.foster_care or row.ever_foster_care,
        "parent_in_active_military": row.parent_in_active_military,
        "parent_in_armed_forces": row.parent_in_armed_forces or row.parent_in_active_military,
        "migrant": row.migrant and level != "postsecondary",
    }
    return groups + [("special_population", code) for code, yes in flags.items() if yes]


# ---------------------------------------------------------------- tables over years

class Reference:
    """All years of one raw folder, jurisdiction and set of rules."""

    def __init__(self, rows, rules):
        self.data = Data(rows)
        self.rules = rules
        self.known = {}

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
                   "entity_name": year.names.get((level, entity_id), entity_id), "group_kind": kind, "group_code": code,
                   "numerator": numerator, "denominator": denominator, "rate": 100 * numerator / denominator,
                   "target": target, "status": status}

    def enrollment_count(self, report_year):
        year = self.year(report_year)
        for (education_level, status, level, entity_id, kind, code, cluster), students in year.enrollment_counts.items():
            yield {"report_year": report_year, "education_level": education_level, "status": status, "level": level,
                   "entity_id": entity_id, "entity_name": year.names.get((level, entity_id), entity_id), "group_kind": kind,
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


def shown(value):
    """A value as CSV text."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return f"{value:.2f}"
    if isinstance(value, float):
        return repr(value)
    return str(value)


def write_table(out_dir, table, rows):
    """Writes rows (dicts) as CSV, sorted by the table's key."""
    rows = sorted(rows, key=lambda row: tuple(row[name] for name in KEYS[table].split()))
    columns = COLUMNS[table].split()
    with open(os.path.join(out_dir, table + ".csv"), "w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(columns)
        for row in rows:
            writer.writerow([shown(row[name]) for name in columns])


def run(raw_dir, jurisdiction, report_years, out_dir, rule_changes=(), max_reject_rate=1.0):
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
    for table in ("student_program", "indicator_membership"):
        write_table(out_dir, table, [row for year in report_years for row in getattr(reference.year(year), table)])
    for table in ("performance", "enrollment_count", "gap", "improvement_plan"):
        write_table(out_dir, table, [row for year in report_years for row in getattr(reference, table)(year)])
    return 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("raw_dir")
    parser.add_argument("--jurisdiction", required=True, choices=["federal", "oregon", "massachusetts"])
    parser.add_argument("--report-year", type=int, action="append", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("--rule", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--max-reject-rate", type=float, default=1.0, metavar="PERCENT")
    options = parser.parse_args()
    return run(options.raw_dir, options.jurisdiction, options.report_year, options.out, options.rule, options.max_reject_rate)


if __name__ == "__main__":
    sys.exit(main())
