"""The accepted rows by student, program and institution, and the small functions over them: dates, clusters, groups."""

import re
from collections import defaultdict
from decimal import Decimal

SECONDARY_GRADES = {"09", "10", "11", "12", "SP"}
MIDDLE_GRADES = {"06", "07", "08"}
CLUSTERS = """agriculture_food_and_natural_resources architecture_and_construction arts_av_technology_and_communications
    business_management_and_administration education_and_training finance government_and_public_administration health_science
    hospitality_and_tourism human_services information_technology law_public_safety_corrections_and_security manufacturing marketing
    science_technology_engineering_and_mathematics transportation_distribution_and_logistics""".split()
FOURTEEN_CLUSTERS = """advanced_manufacturing agriculture arts_entertainment_and_design construction digital_technology education
    energy_and_natural_resources financial_services healthcare_and_human_services hospitality_events_and_tourism
    management_and_entrepreneurship marketing_and_sales public_service_and_safety supply_chain_and_transportation""".split()
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


def framework_of(rules, year):
    """The cluster codes that count in a report year."""
    return CLUSTERS if year < rules["fourteen_clusters_from"] else FOURTEEN_CLUSTERS


def known_clusters(labels, framework):
    """The codes of the framework among labels; others are ignored."""
    return sorted({cluster_code(label) for label in labels} & set(framework))


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
                           "work_based_learning", "credential", "postsecondary_credit", "graduate_follow_up", "resident", "pell"):
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

    def __init__(self, data, row, institution, rules, year):
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
        framework = framework_of(rules, year)
        own = known_clusters((row.career_cluster or "").split(";"), framework)
        self.clusters = own or known_clusters((line.career_cluster for line in crosswalk), framework) or ["other"]
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


# ---------------------------------------------------------------- a student

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
