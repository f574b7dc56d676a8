"""The issuing states of passports, and whether two passports of one number can be one document.

A passport is issuer and number. Both are compared as the list and the check give them:

| issuers | result |
|---|---|
| both known, and the same | `same` |
| both known, and different | `other`: two documents |
| unknown on one side or on both | `unknown`: the name has to decide |

`STATES` has the codes of ISO 3166-1 alpha-3, as the ISO's Online Browsing Platform publishes them
(249 entries; compared with pycountry 24.6). The codes that ICAO Doc 9303 adds for stateless people,
refugees, organizations and kinds of British nationality are not in ISO 3166-1, so they are refused.

ICAO Doc 9303 writes `CHN` on the passports of Hong Kong and Macao. So `HKG` and `MAC` count as
`CHN`: a person at a counter may write either.
"""

import re
from enum import StrEnum
from typing import Final

CHINA: Final = "CHN"

_CODES: Final = """
ABW AFG AGO AIA ALA ALB AND ARE ARG ARM ASM ATA ATF ATG AUS AUT AZE BDI BEL BEN BES BFA BGD BGR
BHR BHS BIH BLM BLR BLZ BMU BOL BRA BRB BRN BTN BVT BWA CAF CAN CCK CHE CHL CHN CIV CMR COD COG
COK COL COM CPV CRI CUB CUW CXR CYM CYP CZE DEU DJI DMA DNK DOM DZA ECU EGY ERI ESH ESP EST ETH
FIN FJI FLK FRA FRO FSM GAB GBR GEO GGY GHA GIB GIN GLP GMB GNB GNQ GRC GRD GRL GTM GUF GUM GUY
HKG HMD HND HRV HTI HUN IDN IMN IND IOT IRL IRN IRQ ISL ISR ITA JAM JEY JOR JPN KAZ KEN KGZ KHM
KIR KNA KOR KWT LAO LBN LBR LBY LCA LIE LKA LSO LTU LUX LVA MAC MAF MAR MCO MDA MDG MDV MEX MHL
MKD MLI MLT MMR MNE MNG MNP MOZ MRT MSR MTQ MUS MWI MYS MYT NAM NCL NER NFK NGA NIC NIU NLD NOR
NPL NRU NZL OMN PAK PAN PCN PER PHL PLW PNG POL PRI PRK PRT PRY PSE PYF QAT REU ROU RUS RWA SAU
SDN SEN SGP SGS SHN SJM SLB SLE SLV SMR SOM SPM SRB SSD STP SUR SVK SVN SWE SWZ SXM SYC SYR TCA
TCD TGO THA TJK TKL TKM TLS TON TTO TUN TUR TUV TWN TZA UGA UKR UMI URY USA UZB VAT VCT VEN VGB
VIR VNM VUT WLF WSM YEM ZAF ZMB ZWE
"""

STATES: Final = frozenset(_CODES.split())

_OF_CHINA: Final = frozenset({CHINA, "HKG", "MAC"})
# Contract, section 2: these numbers count as Chinese where no issuer is given.
_is_chinese = re.compile(r"[EGDSPKH][0-9]{8}|[EKM][A-Z][0-9]{7}").fullmatch


class IssuerMatch(StrEnum):
    """Whether two passports of one number are one document."""

    SAME = "same"
    UNKNOWN = "unknown"
    OTHER = "other"


def implied_issuer(number: str) -> str | None:
    """Return the issuer that a normalised passport number shows by its form, or None."""
    return CHINA if _is_chinese(number) else None


def canonical_issuer(sent: str, number: str) -> str | None:
    """Return the issuer of a normalised passport number in its one spelling.

    Return None if the number itself shows this issuer, so that `CHN` and no issuer are one.
    """
    issuer = CHINA if sent in _OF_CHINA else sent
    return None if issuer == implied_issuer(number) else issuer


def compare_issuers(one: str | None, other: str | None, number: str) -> IssuerMatch:
    """Compare the issuers of two passports of one normalised number; None: none was given."""
    if one != other:
        implied = implied_issuer(number)
        one, other = one or implied, other or implied
    elif one is None:
        one = other = implied_issuer(number)
    if one is None or other is None:
        return IssuerMatch.UNKNOWN
    return IssuerMatch.SAME if one == other else IssuerMatch.OTHER
