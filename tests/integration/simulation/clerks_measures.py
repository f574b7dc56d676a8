"""The measures for the services that the clerk knows (contract, section 3), as plain dicts."""

ALL_ROLES = (
    "debtor",
    "legal_representative",
    "principal",
    "actual_controller",
    "directly_responsible",
)
FIGURES = {
    "CN": {"school": None, "cap": None},
    "440882": {"school": 6_000_000, "cap": 200_000},
}
"""The settings of the simulated deployment, per place of service, in fen."""

MEASURES = {
    "CN": {
        "air": "cn-2016-64/2.7.1",
        "lodging": "cn-2016-64/2.7.2",
        "resort": "cn-2016-64/2.7.3",
        "private_school": "cn-2016-64/2.7.4",
    },
    "440882": {
        "air": "leizhou/2.7.1",
        "lodging": "leizhou/2.7.2",
        "resort": "leizhou/2.7.4",
        "private_school": "leizhou/2.7.5",
    },
}
PATHS = {"CN": ("CN",), "440882": ("CN", "440882")}
KNOWN_MEASURES = {measure for place in MEASURES.values() for measure in place.values()}


def applying(service, jurisdiction):
    """Each measure that reaches the service in this place: whom it reaches, and the code."""
    kind, figures = service["type"], FIGURES[jurisdiction]
    code, roles = "restricted", ALL_ROLES
    if kind == "lodging" and service["star_rating"] < 1:
        return
    if kind == "resort":
        code, roles = "cap_unset" if figures["cap"] is None else "capped", ("debtor",)
    if kind == "private_school":
        if figures["school"] is None:
            code = "threshold_unset"
        elif service["annual_fee_fen"] < figures["school"]:
            return
    for place in PATHS[jurisdiction]:
        yield MEASURES[place][kind], roles, code
