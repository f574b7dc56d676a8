"""The contract's section 3b as a table: each matter, its national section, and that of Leizhou."""

from collections.abc import Iterator

from tests.support.measure_row import DEBTOR_ONLY, Reached, Row

_FOR_ALL = """
bank_founding reference 2.1.1 2.1.1
securities_or_fund_founding reference 2.1.1 2.1.1
guarantee_or_insurance_founding restricted 2.1.1 2.1.1
microloan_or_pawn_founding restricted - 2.1.1
interbank_bond reference 2.1.2 -
public_corporate_bond restricted 2.1.2 -
qualified_investor_quota reference 2.1.3 -
equity_incentive restricted 2.1.4 2.1.2
share_issue_or_quotation reference 2.1.5 -
social_organization_founding restricted 2.1.6 2.1.3
government_procurement restricted 2.1.7 2.1.4
government_funded_project restricted 2.1.7 2.1.4
government_subsidy restricted 2.2.1 2.2.1
policy_support reference 2.2.2 2.2.2
party_membership reference 2.3.6 2.3.6
customs_certification restricted 2.4.1 -
food_or_drug_licence reference 2.4.2 2.4.1
hazardous_industry restricted 2.4.2 2.4.1
hazardous_industry_executive restricted 2.4.2 2.4.1
construction_qualification restricted 2.4.3 2.4.2
civic_honour restricted 2.5.1 2.5.1
lawyer_honour restricted 2.5.2 2.5.2
credit_grant reference 2.5.3 2.5.3
state_forest_land restricted 2.6.2 2.6.2
grassland restricted 2.6.3 -
natural_resources restricted 2.6.4 2.6.3
exit reference 2.8 2.8
regulatory_inspection reference 2.9 2.9
"""
# 失信被执行人为个人的, or an office that only a person holds.
_FOR_PERSONS = """
state_enterprise_executive restricted 2.3.1 2.3.1
public_institution_head restricted 2.3.2 2.3.2
financial_executive restricted 2.3.3 2.3.3
social_organization_head restricted 2.3.4 2.3.4
civil_service_recruitment restricted 2.3.5 2.3.5
delegate_nomination restricted 2.3.7 2.3.7
military_service reference 2.3.8 2.3.8
"""


def matter_rows() -> Iterator[Row]:
    for table, persons_only in ((_FOR_ALL, False), (_FOR_PERSONS, True)):
        for line in table.split("\n"):
            if line:
                matter, code, nation, leizhou = line.split()
                yield Row(
                    {"type": "matter", "matter": matter},
                    _reached(nation, code),
                    _reached(leizhou, code),
                    persons_only=persons_only,
                )


def _reached(section: str, code: str) -> Reached | None:
    return None if section == "-" else Reached(section, DEBTOR_ONLY, code)
