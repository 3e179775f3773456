"""The performance data forms of the federal Consolidated Annual Report (part IV.B) for the state, spec/federal-report.md."""

import re
from decimal import Decimal
from fractions import Fraction

from contract import RACES
from data import CLUSTERS, FOURTEEN_CLUSTERS, cluster_code, framework_of
from rules import SECONDARY_INDICATORS

COLUMNS = {"car_form": "report_year form population column value", "car_check": "report_year check form population column found expected"}
KEYS = {"car_form": "report_year form population column", "car_check": "report_year check form population column"}

SEVEN_RACES = [race for race in RACES.split() if race != "unknown"]
SPECIAL = ("individual_with_disability economically_disadvantaged nontraditional single_parent out_of_workforce english_learner homeless "
           "foster_care parent_in_active_military parent_in_armed_forces migrant").split()
# the lines of placement as printed on forms 3:3S1 and 3:1P1
PLACEMENT_LINES = {
    "3S1": "advanced_training military service employment postsecondary certificate associate baccalaureate".split(),
    "1P1": "advanced_training registered_apprenticeship pre_apprenticeship adult_technical_center other_advanced_training military service "
           "employment high_skill high_wage postsecondary certificate associate baccalaureate".split(),
}
UPDATED_FROM = 2026     # Table 1: middle grades and kinds of placement are not applicable before program year 2025-26
NOT_OFFERED, NOT_PROVIDED = -9, -1
# form: (education level, status)
ENROLLMENT_FORMS = {
    "1a": ("middle", "participant"), "1b": ("secondary", "participant"), "1c": ("postsecondary", "participant"),
    "2a": ("secondary", "concentrator"), "2b": ("postsecondary", "concentrator"),
}


# printed lines and columns, as letters only, to codes
PRINTED = {
    "grand total": "all", "grand total unduplicated": "all", "male": "gender:M", "female": "gender:F",
    "american indian or alaskan native": "race_ethnicity:american_indian_or_alaska_native",
    "native hawaiian or pacific islander": "race_ethnicity:native_hawaiian_or_other_pacific_islander",
    **{race.replace("_", " "): f"race_ethnicity:{race}" for race in RACES.split()},
    **{text: f"special_population:{code}" for text, code in zip((
        "individuals with disabilities", "individuals from economically disadvantaged families",
        "individuals preparing for non traditional fields", "single parents", "out of workforce individuals", "english learners",
        "homeless individuals", "youth in foster care", "youth with parent in active military perkins v",
        "youth with parent in the armed forces esea", "migrant students"), SPECIAL)},
    "other please identify": "career_cluster:other",
    **{text: f"placement:{code}" for text, code in (
        ("advanced training", "advanced_training"), ("registered apprenticeship programs", "registered_apprenticeship"),
        ("pre apprenticeship programs", "pre_apprenticeship"),
        ("certification or licensure programs offered at an adult technical center", "adult_technical_center"),
        ("other advanced training", "other_advanced_training"), ("military service", "military"),
        ("national or community service or peace corps", "service"), ("employment", "employment"),
        ("high skill industry sectors and occupations", "high_skill"), ("high wage industry sectors and occupations", "high_wage"),
        ("postsecondary education", "postsecondary"), ("certificate", "certificate"), ("associate degree", "associate"),
        ("baccalaureate degree", "baccalaureate"))},
}


def from_printed(row):
    """A row of a form with its printed population and column as codes."""
    text = re.sub(r"^group \d+ ", "", re.sub(r"[^a-z0-9]+", " ", row["population"].lower()).strip())
    cluster = cluster_code(row["population"])
    row["population"] = PRINTED.get(text) or (f"career_cluster:{cluster}" if cluster in CLUSTERS + FOURTEEN_CLUSTERS else row["population"])
    row["column"] = cluster_code(row["column"])
    return row


def lines_of(education_level):
    """[(group_kind, group_code)] of the lines as printed."""
    races = RACES.split() if education_level == "postsecondary" else SEVEN_RACES
    special = [code for code in SPECIAL
               if not (education_level == "postsecondary" and code == "migrant")
               and not (education_level == "middle" and code in ("single_parent", "out_of_workforce"))]
    return ([("all", "all")] + [("gender", code) for code in "MF"] + [("race_ethnicity", code) for code in races]
            + [("special_population", code) for code in special])


def hundredths(share):
    """An exact number as a decimal with two places, ties up (away from zero)."""
    twice = abs(Fraction(share)) * 200
    whole = (twice.numerator // twice.denominator + 1) // 2
    return Decimal(whole if share >= 0 else -whole) / 100


def population(kind, code):
    return "all" if kind == "all" else f"{kind}:{code}"


def enrollment_forms(reference, report_year):
    """Forms 1a to 2b: (form, population, column, value)."""
    year = reference.year(report_year)
    clusters = framework_of(reference.rules, report_year)
    for form, (education_level, status) in ENROLLMENT_FORMS.items():
        if form == "1a" and report_year < UPDATED_FROM:
            continue
        provided = bool(reference.data.rows["cte_course"])
        offered = {cluster for program in year.programs.values() if program.approved for cluster in program.clusters}
        for kind, code in lines_of(education_level):
            for column in ["number"] + (clusters + ["other"] if form != "1a" else []):    # 1a is printed without clusters
                cluster = "all" if column == "number" else column
                cell = (education_level, status, "state", reference.rules["state_code"], kind, code, cluster)
                value = year.enrollment_counts.get(cell, 0)
                if column in clusters and column not in offered:
                    value = NOT_OFFERED
                elif not provided:
                    value = NOT_PROVIDED
                yield form, population(kind, code), column, value


def performance_forms(reference, report_year):
    """Forms 3, one for each indicator that is reported: (form, population, column, value)."""
    year = reference.year(report_year)
    state = reference.rules["state_code"]
    for indicator in reference.rules["indicators"]:
        lines = lines_of("secondary" if indicator in SECONDARY_INDICATORS else "postsecondary")
        lines = lines + [("career_cluster", cluster) for cluster in framework_of(reference.rules, report_year) + ["other"]]
        if report_year >= UPDATED_FROM:
            lines = lines + [("placement", code) for code in PLACEMENT_LINES.get(indicator, ())]
        denominator_of_all = year.figures.get((indicator, "state", state, "all", "all"), (0, 0))[1]
        for kind, code in lines:
            numerator, denominator = year.figures.get((indicator, "state", state, kind, code), (0, 0))
            cells = {"numerator": numerator, "denominator": denominator}
            if kind == "placement":
                denominator = cells["denominator"] = denominator_of_all
            target = cells["state_level"] = None if kind == "placement" else year.target(indicator, "state", state)
            if denominator:
                actual = cells["actual_level"] = hundredths(Fraction(100 * numerator, denominator))
                if target is not None:
                    status = year.status_of_figure(indicator, "state", state, kind, numerator, denominator)[1]
                    cells["difference"] = actual - target
                    cells["met_90"] = "Y" if status in ("met", "within_90") else "N"
            for column, value in cells.items():
                if value is not None:
                    yield f"3:{indicator}", population(kind, code), column, value


def car_form(reference, report_year):
    """Every cell of the forms 1 to 3."""
    for forms in (enrollment_forms, performance_forms):
        for form, line, column, value in forms(reference, report_year):
            yield {"report_year": report_year, "form": form, "population": line, "column": column, "value": value}


# ---------------------------------------------------------------- checks

def car_check(reference, report_year):
    """What a reviewer must look at: (check, form, population, column, found, expected), only where a check fails."""
    now, before = ({(row["form"], row["population"], row["column"]): row["value"] for row in car_form(reference, year)}
                   for year in (report_year, report_year - 1))
    count = lambda *cell: max(0, now.get(cell, 0))      # -1 and -9 count as 0
    for form in sorted({cell[0] for cell in now}):
        lines = sorted({cell[1] for cell in now if cell[0] == form})
        columns = sorted({cell[2] for cell in now if cell[0] == form and cell[1] == "all"} - {"actual_level", "state_level", "difference", "met_90"})
        for check, line, column, found, expected in form_checks(form, lines, columns, count):
            yield {"report_year": report_year, "check": check, "form": form, "population": line, "column": column, "found": found,
                   "expected": expected}
        column = "denominator" if form.startswith("3:") else "number"
        old, new = max(0, before.get((form, "all", column), 0)), count(form, "all", column)
        if abs(new - old) * 4 > old > 0:
            yield {"report_year": report_year, "check": "change_above_25_percent", "form": form, "population": "all", "column": column,
                   "found": new, "expected": old}


def form_checks(form, lines, columns, count):
    """(check, population, column, found, expected) of the checks within a year that fail."""
    is_performance = form.startswith("3:")
    for column in columns:
        total = count(form, "all", column)
        for kind, check in (("gender", "gender_above_total"), ("race_ethnicity", "race_not_total")):
            found = sum(count(form, line, column) for line in lines if line.startswith(kind + ":"))
            if found > total or kind == "race_ethnicity" and found != total:
                yield check, kind, column, found, total
        for line in lines:
            if count(form, line, column) > total:
                yield "group_above_total", line, column, count(form, line, column), total
    for line in lines:
        if is_performance and count(form, line, "numerator") > count(form, line, "denominator"):
            yield "numerator_above_denominator", line, "numerator", count(form, line, "numerator"), count(form, line, "denominator")
        if not is_performance:
            number = count(form, line, "number")
            clusters = [column for column in columns if column != "number"]
            for column in clusters:
                if count(form, line, column) > number:
                    yield "cluster_above_number", line, column, count(form, line, column), number
            if sum(count(form, line, column) for column in clusters) < number:
                yield "clusters_below_number", line, "number", sum(count(form, line, column) for column in clusters), number
        if form.startswith("2"):
            participants = {"2a": "1b", "2b": "1c"}[form]
            for column in columns:
                if count(form, line, column) > count(participants, line, column):
                    yield "concentrators_above_participants", line, column, count(form, line, column), count(participants, line, column)
    if form in ("3:3S1", "3:1P1"):
        most = count(form, "all", "numerator")
        for line in lines:
            if line.startswith("placement:") and count(form, line, "numerator") > most:
                yield "placement_above_numerator", line, "numerator", count(form, line, "numerator"), most
