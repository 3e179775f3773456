"""The rule table of spec/indicators.md, "Rules are data". Federal is the base; "=" is simply not repeated."""

from decimal import Decimal

from contract import DIPLOMAS

ALL_INDICATORS = "1S1 1S2 2S1 2S2 2S3 3S1 4S1 5S1 5S2 5S3 1P1 2P1 3P1".split()
SECONDARY_INDICATORS = [indicator for indicator in ALL_INDICATORS if "S" in indicator]

RULES = {
    "federal": {
        "state_code": "US",
        "state_name": "United States",
        # status: every least amount that is given must be reached
        "secondary_participant_courses": 1,
        "secondary_participant_credits": Decimal(0),
        "secondary_concentrator_courses": 2,
        "secondary_concentrator_credits": Decimal(0),
        "secondary_concentrator_advanced_credits": Decimal(0),
        "postsecondary_participant_courses": 1,
        "postsecondary_concentrator_credits": Decimal(12),
        "postsecondary_concentrator_cte_specific_credits": Decimal(0),
        "short_program_credits": Decimal(12),
        # indicators
        "graduating_diplomas": ["regular_diploma", "alternate_diploma"],
        "population_2s": "last_exit",                    # last_exit | score_in_year
        "quarter_3s1": "second_after_exit",              # second_after_exit | fall
        "population_1p1": "completed_year_before",       # completed_year_before | quarter_in_year
        "population_2p1": "completed",                   # completed | completed_or_left
        "window_2p1": "two_years",                       # two_years | any_time_before
        "whose_credential": "any_program",               # any_program | this_program_or_none
        "programs_4s1_3p1": "traditional",               # traditional | primary
        "gender_x_4s1": False,                           # is X nontraditional in every program with a traditional gender?
        "gender_x_3p1": False,
        "nontraditional_group": "any_program",           # any_program | primary
        "work_based_learning_hours": Decimal(0),
        "indicators": ALL_INDICATORS,
        "met_share_percent": 90,
        "follow_up_in_3s1": False,
        "fourteen_clusters_from": 9999,                  # the first report year of the framework of 14 clusters
        "comparison_index_n": "sample",                  # sample | attending: n of the interval
        # not rules of the specification but readings of it: see DECISIONS.md
        "reading_completion_rows": "any",                # 1P1, 2P1: any | as_of (only rows with school_year <= Y)
        "reading_exit_rows": "any",                      # exits: any | as_of (only rows with school_year <= Y)
        "reading_unknown_clusters": "crosswalk",         # a career_cluster of unknown labels only: crosswalk | other | none
        "reading_detail_grade": "guide",                 # detail, F: guide | latest | latest_of_any (level)
    },
    "oregon": {
        "state_code": "OR",
        "state_name": "Oregon",
        "secondary_participant_courses": 0,
        "secondary_participant_credits": Decimal("0.5"),
        "secondary_concentrator_courses": 0,
        "secondary_concentrator_credits": Decimal("2.0"),
        "secondary_concentrator_advanced_credits": Decimal("1.0"),
        "postsecondary_concentrator_cte_specific_credits": Decimal("9.0"),
        "graduating_diplomas": ["regular_diploma", "modified_diploma", "postgraduate_scholar"],
        "population_2s": "score_in_year",
        "quarter_3s1": "fall",
        "population_1p1": "quarter_in_year",
        "population_2p1": "completed_or_left",
        "window_2p1": "any_time_before",
        "whose_credential": "this_program_or_none",
        "programs_4s1_3p1": "primary",
        "gender_x_4s1": True,
        "nontraditional_group": "primary",
        "indicators": "1S1 1S2 2S1 2S2 2S3 3S1 4S1 5S3 1P1 2P1 3P1".split(),
    },
    "massachusetts": {
        "state_code": "MA",
        "state_name": "Massachusetts",
        "population_2s": "score_in_year",
        "indicators": "1S1 2S1 2S2 2S3 3S1 4S1 5S3 1P1 2P1 3P1".split(),
        "follow_up_in_3s1": True,
        "fourteen_clusters_from": 2027,
    },
}


def rules_of(jurisdiction, changes=()):
    """The rules of a jurisdiction, with `name=value` changes laid over them."""
    rules = {**RULES["federal"], **RULES[jurisdiction]}
    for change in changes:
        name, text = change.split("=", 1)
        if name not in rules:
            raise SystemExit(f"--rule {name}: no such rule; there are {', '.join(sorted(rules))}")
        kind = type(rules[name])
        if kind is bool:
            rules[name] = text.lower() in ("true", "yes", "1")
        elif kind is list:
            rules[name] = [word for word in text.replace(",", " ").split()]
        else:
            rules[name] = kind(text)
    assert set(rules["graduating_diplomas"]) <= set(DIPLOMAS)
    return rules
