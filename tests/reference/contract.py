"""The raw collections of spec/collections.md, as plain data.

Each collection is one text block: a line for each field in the spec's order,

    name  type  [* key] [? may be null]

Types: id, text, year, date, bool, cip, whole(lo..hi), dec(p,s) with optional lo..hi or >lo, code(a b c).
"""

import re
from decimal import Decimal

GRADES = "06 07 08 09 10 11 12 SP PS"
RACES = ("american_indian_or_alaska_native asian black_or_african_american hispanic_or_latino "
         "native_hawaiian_or_other_pacific_islander white two_or_more_races unknown")
DIPLOMAS = "regular_diploma modified_diploma alternate_diploma postgraduate_scholar".split()
OTHER_COMPLETIONS = "high_school_equivalency certificate".split()
LEAVERS = "dropped_out reached_maximum_age expelled".split()
REMOVALS = "transferred_out emigrated deceased".split()
EXIT_KINDS = " ".join(DIPLOMAS + OTHER_COMPLETIONS + LEAVERS + REMOVALS)
PLACEMENT_KINDS = ("postsecondary_certificate postsecondary_associate postsecondary_baccalaureate postsecondary_other "
                   "registered_apprenticeship pre_apprenticeship adult_technical_center other_advanced_training military "
                   "national_service peace_corps employment not_placed")
WBL_KINDS = ("internship apprenticeship pre_apprenticeship cooperative_education clinical school_based_enterprise "
             "simulated_workplace supervised_agricultural_experience entrepreneurship job_shadow mentorship "
             "service_learning other")
FLAGS = ("individual_with_disability section_504 economically_disadvantaged single_parent out_of_workforce english_learner "
         "homeless foster_care ever_foster_care parent_in_active_military parent_in_armed_forces migrant").split()
SUBJECTS = "reading_language_arts mathematics science"
FOLLOW_UP_OUTCOMES = ("employed_related employed_unrelated apprenticeship four_year_college two_year_college "
                      "other_postsecondary military service unemployed other unknown")
LOTTERIES = "none unweighted weighted"
OUTCOMES = "offered accepted declined waitlisted not_offered withdrawn"
SCHOOL_MEASURES = ("industry_recognized_credential cooperative_education_or_wbl masscore_completion advanced_course_completion "
                   "graduation_rate ela_proficiency math_proficiency science_proficiency student_teacher_ratio teacher_licensure "
                   "program_retention dropout_rate mycap_participation graduate_placement")

COLLECTIONS_TEXT = {
    "institution": """
        school_year year *
        institution_id id *
        institution_name text ?
        institution_kind code(school college)
        district_id id ?
        district_name text ?
        grantee_id id
        grantee_name text
        federal_id text ?""",
    "program": """
        school_year year *
        program_id id *
        institution_id id
        program_name text
        cip_code cip
        approval code(approved startup)
        required_credits dec(6,2) ?
        career_cluster text ?""",
    "student": f"""
        school_year year *
        student_id id *
        education_level code(middle secondary postsecondary) *
        first_name text ?
        last_name text ?
        birth_date date ?
        cohort_year year ?
        gender code(F M X U)
        race_ethnicity code({RACES})
        """ + "\n".join(f"{flag} bool ?" for flag in FLAGS),
    "enrollment": f"""
        school_year year *
        student_id id *
        institution_id id *
        grade code({GRADES})
        out_of_district_placement bool ?""",
    "program_enrollment": """
        school_year year *
        student_id id *
        program_id id *
        is_primary bool ?
        status code(enrolled completed left)
        status_date date ?""",                       # required unless enrolled: intake.py
    "cte_course": f"""
        school_year year *
        student_id id *
        program_id id *
        course_code id *
        term text * ?
        grade code({GRADES})
        course_level code(introductory intermediate advanced)
        credits_earned dec(5,2) 0..30
        passed bool
        cte_specific bool ?""",
    "assessment": f"""
        school_year year *
        student_id id *
        subject code({SUBJECTS}) *
        assessment_kind code(general alternate) *
        grade code({GRADES})
        performance_level whole 1..9 ?
        valid_score bool""",
    "proficiency_cut": f"""
        school_year year *
        subject code({SUBJECTS}) *
        assessment_kind code(general alternate) *
        lowest_proficient_level whole 1..9""",
    # institution_id has no `?` in the spec, but every worked case leaves it empty (DECISIONS.md, 1)
    "exit": f"""
        school_year year *
        student_id id *
        institution_id id ?
        exit_date date ?
        exit_kind code({EXIT_KINDS})""",
    "placement": f"""
        student_id id *
        placement_year year *
        placement_quarter whole 1..4 *
        placement_kind code({PLACEMENT_KINDS}) *
        source code(clearinghouse wage_record survey registry other) *
        high_skill bool ?
        high_wage bool ?""",
    "work_based_learning": f"""
        school_year year *
        student_id id *
        program_id id *
        work_based_learning_kind code({WBL_KINDS}) *
        started_on date * ?
        hours dec(7,2) ?""",
    "credential": """
        student_id id *
        credential_code id *
        earned_on date *
        recognized bool
        program_id id ?""",
    "postsecondary_credit": """
        school_year year *
        student_id id *
        program_id id *
        credit_kind code(dual_enrollment concurrent_enrollment articulated) *
        credits dec(5,2) >0""",
    "target": """
        report_year year *
        indicator text *
        grantee_id id * ?
        target_percent dec(5,2) 0..100""",
    "crosswalk": """
        cip_code cip *
        career_cluster text *
        nontraditional_for code(F M) ?""",
    # Massachusetts
    "application": f"""
        school_year year *
        round code(spring fall) *
        district_id id *
        applicant_id id *
        student_id id ?
        institution_id id ?
        program_id id ?
        grade code({GRADES})
        lottery code({LOTTERIES})
        outcome code({OUTCOMES})""",
    "admission_procedure": f"""
        school_year year *
        district_id id *
        seats whole 0..9223372036854775807
        apportionment bool
        lottery code({LOTTERIES})""",
    "resident": f"""
        school_year year *
        student_id id *
        town text
        member_district_id id
        grade code({GRADES})
        out_of_district_placement bool ?""",
    "graduate_follow_up": f"""
        school_year year *
        student_id id *
        program_id id ?
        outcome code({FOLLOW_UP_OUTCOMES})""",
    "pell": """
        school_year year *
        student_id id *
        institution_id id
        program_id id ?
        award_amount dec(9,2)""",
    "school_measure": f"""
        school_year year *
        institution_id id *
        measure code({SCHOOL_MEASURES}) *
        numerator dec(12,2)
        denominator dec(12,2)""",
    # fiscal
    "car_note": """
        report_year year *
        form text *
        population text * ?
        column_name text * ?
        note text""",
    "subaward": """
        program_year year *
        section code(131 132) *
        recipient_id id *
        recipient_name text
        federal_id text
        formula_allocation dec(14,2)
        final_award dec(14,2)
        consortium_code whole 0..3
        consortium_id text ?
        is_fiscal_agent bool ?""",
    "outlay": """
        program_year year *
        report code(interim final) *
        row code(A B D E H I J K M) *
        previously_reported dec(14,2)
        total_outlays dec(14,2)
        program_income dec(14,2)
        non_federal_share dec(14,2)
        unliquidated_obligations dec(14,2)
        funds_authorized dec(14,2)""",
    "allocation": """
        program_year year *
        state_name text
        award_number text
        award_amount dec(14,2)
        accounting_basis code(cash accrual)""",
}


class Field:
    """One field of a collection: its name, type and limits."""

    def __init__(self, line):
        name, rest = line.strip().split(" ", 1)
        self.name = name
        self.codes = None
        match = re.search(r"code\((.*?)\)", rest)
        if match:
            self.codes = {code.lower(): code for code in match.group(1).split()}
            rest = rest.replace(match.group(0), "code")
        match = re.search(r"dec\((\d+),(\d+)\)", rest)
        self.precision, self.scale = (int(match.group(1)), int(match.group(2))) if match else (None, None)
        if match:
            rest = rest.replace(match.group(0), "dec")
        words = rest.split()
        self.type = words[0]
        self.is_key = "*" in words
        self.nullable = "?" in words
        self.low = self.high = self.above = None
        for word in words[1:]:
            if ".." in word:
                self.low, self.high = (Decimal(part) for part in word.split(".."))
            elif word.startswith(">"):
                self.above = Decimal(word[1:])
        if self.type == "year":
            self.low, self.high = Decimal(1990), Decimal(2100)


COLLECTIONS = {name: [Field(line) for line in text.splitlines() if line.strip()] for name, text in COLLECTIONS_TEXT.items()}
