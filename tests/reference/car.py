"""The performance data forms of the federal Consolidated Annual Report (part IV.B) for the state, spec/federal-report.md."""

import re
from decimal import Decimal
from fractions import Fraction

from contract import RACES
from data import CLUSTERS, FOURTEEN_CLUSTERS, cluster_code, framework_of
from rules import SECONDARY_INDICATORS

COLUMNS = {"car_form": "report_year form population column value",
           "car_check": "report_year check form population column severity found expected"}
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
# kinds of placement that are part of another; the others are the kinds of which every placement has one
PART_OF = {
    **dict.fromkeys("registered_apprenticeship pre_apprenticeship adult_technical_center other_advanced_training".split(), "advanced_training"),
    **dict.fromkeys("high_skill high_wage".split(), "employment"),
    **dict.fromkeys("certificate associate baccalaureate".split(), "postsecondary"),
}
# the collection without which a form shows nothing
RESTS_ON = {**dict.fromkeys("1a 1b 1c 2a 2b".split(), "cte_course"), "1S1": "exit", "1S2": "exit", "2S1": "assessment", "2S2": "assessment",
            "2S3": "assessment", "3S1": "placement", "4S1": "crosswalk", "5S1": "credential", "5S2": "postsecondary_credit",
            "5S3": "work_based_learning", "1P1": "placement", "2P1": "credential", "3P1": "crosswalk"}
# severities as the system names them: wrong in itself, to be looked at, to be mentioned
SEVERITY = {"change_without_note": "warning", "not_handed_over": "warning", "gender_without_line": "notice"}
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
#
# From spec/federal-report.md, Data checks, sentence by sentence. The names of the checks and how findings are placed (what is wrong with a sum of lines
# is said at the grand total of the column; with a sum of columns, at the number of the line) are those of data/reference/car_check_meaning.csv.

class Forms:
    """The counts on the forms of one report year."""

    def __init__(self, reference, report_year):
        self.year = reference.year(report_year)
        self.state = reference.rules["state_code"]
        self.clusters = framework_of(reference.rules, report_year) + ["other"]
        self.given = {name for name, rows in reference.data.rows.items() if rows}
        self.entered = {}                               # (form, population, column) -> as entered
        for row in car_form(reference, report_year):
            if row["column"] not in ("actual_level", "state_level", "difference", "met_90"):
                self.entered[row["form"], row["population"], row["column"]] = row["value"]
        self.lines, self.columns = {}, {}
        for form, line, column in self.entered:
            self.lines.setdefault(form, {})[line] = None
            self.columns.setdefault(form, {})[column] = None

    def count(self, *cell):
        """-1 and -9 count as 0 in totals."""
        return max(0, self.entered[cell])

    def without_line(self, form, column, kind, codes):
        """Students of some genders or races that have no line on the form."""
        if form.startswith("3:"):
            figures = [self.year.figures.get((form[2:], "state", self.state, kind, code), (0, 0)) for code in codes]
            return sum(figure[column == "denominator"] for figure in figures)
        if self.count(form, "all", column) == 0:
            return 0                                    # nobody, not offered or not provided
        level, status = ENROLLMENT_FORMS[form]
        cluster = "all" if column == "number" else column
        return sum(self.year.enrollment_counts.get((level, status, "state", self.state, kind, code, cluster), 0) for code in codes)


def form_checks(forms, form):
    """(check, population, column, found, expected) of the checks within a year that fail on a form."""
    lines, columns, count = list(forms.lines[form]), list(forms.columns[form]), lambda *cell: forms.count(form, *cell)
    of_kind = lambda kind: [line for line in lines if line.startswith(kind + ":")]
    is_performance = form.startswith("3:")
    for column in columns:
        total = count("all", column)
        # gender lines sum to at most the grand total and the rest is accounted for
        both = sum(count(line, column) for line in of_kind("gender"))
        others = forms.without_line(form, column, "gender", "XU")
        if both > total:
            yield "gender_above_total", "all", column, both, total
        elif total - both != others:
            yield "gender_unaccounted", "all", column, total - both, others
        if others and column in ("number", "denominator"):
            yield "gender_without_line", "all", column, others, 0
        # race lines sum to the grand total
        races = sum(count(line, column) for line in of_kind("race_ethnicity"))
        if races != total:
            yield "race_sum", "all", column, races, total
        # no group above the grand total
        for line in lines:
            if count(line, column) > total and not line.startswith("placement:"):
                yield "group_above_total", line, column, count(line, column), total
    # each cluster column at most the total and, together, at least the students with a cluster: every program has one, or Other
    if is_performance:
        for column in columns:
            together = sum(count(line, column) for line in of_kind("career_cluster"))
            if together < count("all", column):
                yield "cluster_sum", "all", column, together, count("all", column)
    elif len(columns) > 1:                              # 1a has no clusters
        for line in lines:
            clusters = [column for column in columns if column != "number"]
            for column in clusters:
                if count(line, column) > count(line, "number"):
                    yield "cluster_above_total", line, column, count(line, column), count(line, "number")
            together = sum(count(line, column) for column in clusters)
            if together < count(line, "number"):
                yield "cluster_sum", line, "number", together, count(line, "number")
    # concentrators <= participants in every cell
    participants = {"2a": "1b", "2b": "1c"}.get(form)
    if participants:
        for line in lines:
            for column in columns:
                if count(line, column) > forms.count(participants, line, column):
                    yield "concentrators_above_participants", line, column, count(line, column), forms.count(participants, line, column)
    if is_performance:
        # numerator <= denominator on every line
        for line in lines:
            if count(line, "numerator") > count(line, "denominator"):
                yield "numerator_above_denominator", line, "numerator", count(line, "numerator"), count(line, "denominator")
        yield from placement_checks(of_kind("placement"), count)
    yield from missing(forms, form, lines)


def placement_checks(lines, count):
    """Placement lines consistent with the numerator: none above it, no part above its whole, together all of it; and of the same denominator."""
    placed = count("all", "numerator")
    for line in lines:
        found = count(line, "numerator")
        if found > placed:
            yield "placement_above_numerator", line, "numerator", found, placed
        whole = "placement:" + PART_OF.get(line.partition(":")[2], "")
        if whole in lines and found > count(whole, "numerator"):
            yield "placement_part_above_whole", line, "numerator", found, count(whole, "numerator")
        if count(line, "denominator") != count("all", "denominator"):
            yield "placement_denominator", line, "denominator", count(line, "denominator"), count("all", "denominator")
    kinds = [line for line in lines if line.partition(":")[2] not in PART_OF]
    together = sum(count(line, "numerator") for line in kinds)
    if kinds and together < placed:
        yield "placement_sum", "all", "numerator", together, placed


def missing(forms, form, lines):
    """Collections that were not handed over: of the form at its grand total, of the line for nontraditional fields at that line."""
    column = "numerator" if form.startswith("3:") else "number"
    collection = RESTS_ON[form.removeprefix("3:")]
    line = "special_population:nontraditional"
    if collection not in forms.given:
        yield "not_handed_over", "all", column, "not handed over", collection
    elif "crosswalk" not in forms.given and line in lines:
        yield "not_handed_over", line, column, "not handed over", "crosswalk"


def letters(text):
    return " ".join(re.findall(r"[a-z0-9]+", text.lower()))


def as_printed(form, population):
    """The printed line, as letters: the secondary forms number the races, and form 3 says that the grand total is unduplicated."""
    if population == "all":
        return "grand total unduplicated" if form.startswith("3:") else "grand total"
    kind, code = population.split(":")
    is_postsecondary = form in ("1c", "2b") or form.endswith(("1P1", "2P1", "3P1"))
    if kind == "race_ethnicity" and not is_postsecondary:
        return f"group {SEVEN_RACES.index(code) + 1} {code.replace('_', ' ')}"
    if kind == "career_cluster":
        return "other please identify" if code == "other" else code
    names = [text for text, of in PRINTED.items() if of == population]
    if population == "race_ethnicity:native_hawaiian_or_other_pacific_islander" and form.startswith("3:"):
        return names[-1]
    return names[0]


def has_note(notes, form, population, column):
    """Is there a note on the cell, on its line, on its column or on the whole form? Texts as printed, in any letter case."""
    for note in notes:
        if note.form.lower() != form.lower():
            continue
        line = population.startswith("career_cluster:") and cluster_code(note.population or "") or letters(note.population or "")
        if (note.population is None or line == as_printed(form, population)) and (
                note.column_name is None or column in (note.column_name.lower(), cluster_code(note.column_name))):
            return True
    return False


def changes(now, before, notes):
    """Counts that changed by more than 25 percent without a note: of every line, of clusters at the grand total, on forms that had anybody."""
    for (form, line, column), new in now.entered.items():
        total = before.entered.get((form, "all", "denominator" if form.startswith("3:") else "number"), 0)
        old = before.entered.get((form, line, column), -1)
        if total <= 0 or old < 0 or new < 0 or column in now.clusters and line != "all":
            continue
        if abs(new - old) * 4 > old and not has_note(notes, form, line, column):
            yield form, line, column, new, old


def car_check(reference, report_year):
    """What a reviewer must look at: one row for each check of a cell that fails."""
    now, before = Forms(reference, report_year), Forms(reference, report_year - 1)
    notes = [note for note in reference.data.rows["car_note"] if note.report_year == report_year]
    row = lambda check, *values: {"report_year": report_year, "check": check, "severity": SEVERITY.get(check, "error"),
                                  **dict(zip("form population column found expected".split(), values))}
    for form in now.lines:
        for check, line, column, found, expected in form_checks(now, form):
            yield row(check, form, line, column, found, expected)
    for values in changes(now, before, notes):
        yield row("change_without_note", *values)
