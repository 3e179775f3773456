"""Oregon's ADI Detail and Summary reports: [O] "Report: ADI - Detail Tab" and "... Summary Tab"."""

from decimal import Decimal

from data import SECONDARY_GRADES

FLAGGED = {
    "1S1": "indicator_1s1_four_year_graduation_rate",
    "1S2": "indicator_1s2_extended_graduation_rate",
    "2S1": "indicator_2s1_academic_proficiency_in_reading_language_arts",
    "2S2": "indicator_2s2_academic_proficiency_in_mathematics",
    "2S3": "indicator_2s3_academic_proficiency_in_science",
    "3S1": "indicator_3s1_postsecondary_placement",
    "4S1": "indicator_4s1_non_traditional_program_enrollment",
    "5S3": "indicator_5s3_program_quality_participated_in_work_based_learning",
}
COLUMNS = {
    "detail": "report_year reporting_year reporting_secure_student_id legal_first_name legal_last_name date_of_birth enrolled_grade_code "
              "cte_subgrantee_name attending_district_institution_id attending_district_institution_name attending_school_institution_id "
              "attending_school_institution_name cte_program_name cip_code non_traditional_enrollee_flag "
              "school_year_credits_earned_in_this_program total_credits_earned_in_this_program "
              "total_intermediate_or_advanced_credits_earned_in_this_program cte_enrollment_status primary_program_flag "
              "enrolled_school_year left_hs_school_year gender race_ethnicity student_with_disabilities english_learners_flag "
              "economically_disadvantaged_flag parenting migrant_education_flag section_504 foster_care_flag ever_foster_care_flag "
              "homeless_flag military_connected_flag "
              + " ".join(f"{name}_denominator {name}_numerator" for name in FLAGGED.values()),
    "summary": "report_year school_year cte_subgrantee_name attending_district_institution_id attending_district_institution_name "
               "attending_school_institution_id attending_school_institution_name cte_program_name perkins_measure student_group "
               "total_students students_meeting_standard percent_meeting_standard target met_status",
}
KEYS = {
    # the guide gives no program id: two programs of one name in one school have one key, and compare.py then takes them in order
    "detail": "report_year reporting_secure_student_id attending_school_institution_id cte_program_name",
    "summary": "report_year attending_district_institution_id attending_school_institution_id cte_program_name perkins_measure student_group",
}
GRADE_ORDER = "06 07 08 09 10 11 12 SP PS".split()


def flag(yes):
    return "Y" if yes else "N"


def enrolled_grade(year, student_id, level, evaluated):
    """F: the grade of the latest enrollment; who is evaluated for 1S or 3S is a 12th grader unless gone before grade 12."""
    # The documents are silent on rows of another level than the program's: docs/decisions.md, enrolled grade, is followed.
    rows = [row for row in year.data.of("enrollment", student_id) if row.school_year <= year.year]
    if level != "postsecondary" and year.rules["reading_detail_grade"] != "latest_of_any":
        rows = [row for row in rows if row.grade != "PS"]
    grade = None
    if rows:
        last = max(row.school_year for row in rows)
        order = None if year.rules["reading_detail_grade"] == "latest_of_any" else GRADE_ORDER.index
        grade = max((row.grade for row in rows if row.school_year == last), key=order)
    if evaluated and year.rules["reading_detail_grade"] == "guide":
        gone = year.last_exit(student_id) is not None
        if not (gone and grade is not None and grade < "12"):
            return "12"
    return grade


def school_year_credits(year, student_id, program):
    """O: the credits that count for the status, of courses of the report year."""
    return sum((row.credits_earned for row in year.data.of("cte_course", student_id)
                if row.program_id == program.program_id and row.school_year == year.year and row.passed
                and (program.level == "postsecondary" or row.grade in SECONDARY_GRADES)), Decimal(0))


def detail(year):
    """One row for each student and program: columns A to AW."""
    membership = {}
    for row in year.indicator_membership:
        membership[row["student_id"], row["program_id"], row["indicator"]] = row
    evaluated = {(student, indicator[1]) for (student, _, indicator), row in membership.items()
                 if indicator in ("1S1", "1S2", "3S1") and row["denominator"]}
    for line in year.student_program:
        student_id, program = line["student_id"], year.programs[line["program_id"]]
        person = year.people[student_id][program.level]
        left = year.last_exit(student_id)
        row = {
            "report_year": year.year,
            "reporting_year": year.year,
            "reporting_secure_student_id": student_id,
            "legal_first_name": person.first_name,
            "legal_last_name": person.last_name,
            "date_of_birth": person.birth_date,
            "enrolled_grade_code": enrolled_grade(year, student_id, program.level,
                                                  program.level == "secondary" and (student_id, "S") in evaluated),
            "cte_subgrantee_name": year.name("grantee", program.grantee_id),
            "attending_district_institution_id": program.district_id,
            "attending_district_institution_name": year.name("district", program.district_id),
            "attending_school_institution_id": program.institution_id,
            "attending_school_institution_name": year.name("institution", program.institution_id),
            "cte_program_name": year.name("program", program.program_id),
            "cip_code": program.cip_code,
            "non_traditional_enrollee_flag": flag(line["is_nontraditional"]),
            "school_year_credits_earned_in_this_program": school_year_credits(year, student_id, program),
            "total_credits_earned_in_this_program": line["credits"],
            "total_intermediate_or_advanced_credits_earned_in_this_program": line["advanced_credits"],
            "cte_enrollment_status": line["status"],
            "primary_program_flag": flag(line["is_primary"]),
            "enrolled_school_year": line["last_school_year"],
            "left_hs_school_year": None if left is None else left[0],
            "gender": person.gender,
            "race_ethnicity": person.race_ethnicity,
            "student_with_disabilities": flag(person.individual_with_disability),
            "english_learners_flag": flag(person.english_learner),
            "economically_disadvantaged_flag": flag(person.economically_disadvantaged),
            "parenting": flag(person.single_parent),
            "migrant_education_flag": flag(person.migrant),
            "section_504": flag(person.section_504),
            "foster_care_flag": flag(person.foster_care),
            "ever_foster_care_flag": flag(person.ever_foster_care),
            "homeless_flag": flag(person.homeless),
            "military_connected_flag": flag(person.parent_in_active_military or person.parent_in_armed_forces),
        }
        for indicator, name in FLAGGED.items():
            member = membership.get((student_id, program.program_id, indicator))
            row[f"{name}_denominator"] = flag(member and member["denominator"])
            row[f"{name}_numerator"] = flag(member and member["numerator"])
        yield row


def grantee_of(year, level, entity_id):
    """The grantee of a district, institution or program; a district of several has none."""
    if level == "district":
        grantees = year.district_grantees[entity_id]
        return next(iter(grantees)) if len(grantees) == 1 else None
    if level == "institution":
        return year.institutions[entity_id].grantee_id
    return year.programs[entity_id].grantee_id


def summary(year):
    """Figures by district, institution and program; kinds of placement are no student groups."""
    for (indicator, level, entity_id, kind, code), (numerator, denominator) in year.figures.items():
        if level not in ("district", "institution", "program") or kind == "placement":
            continue
        district = institution = program = None
        if level == "district":
            district = entity_id
        else:
            program = year.programs[entity_id] if level == "program" else None
            institution = program.institution_id if program else entity_id
            row = year.institutions[institution]
            district = row.district_id if row.institution_kind == "school" else None
        target, status = year.status_of_figure(indicator, level, entity_id, kind, numerator, denominator)
        yield {
            "report_year": year.year,
            "school_year": f"{year.year - 1}-{year.year % 100:02d}",
            "cte_subgrantee_name": year.name("grantee", grantee_of(year, level, entity_id)),
            "attending_district_institution_id": district,
            "attending_district_institution_name": year.name("district", district),
            "attending_school_institution_id": institution,
            "attending_school_institution_name": year.name("institution", institution),
            "cte_program_name": year.name("program", program.program_id) if program else None,
            "perkins_measure": indicator,
            "student_group": "all" if kind == "all" else f"{kind}:{code}",
            "total_students": denominator,
            "students_meeting_standard": numerator,
            "percent_meeting_standard": 100 * numerator / denominator,
            "target": target,
            "met_status": status,
        }
