"""How a listing reaches a subject.

The five groups of persons of document 中办发〔2016〕64号, section 二（七）, in its order.
"""

from enum import StrEnum
from typing import Final


class Role(StrEnum):
    """The debtor (失信被执行人), or one of the four officers of a listed organization."""

    DEBTOR = "debtor"
    LEGAL_REPRESENTATIVE = "legal_representative"
    """法定代表人"""
    PRINCIPAL = "principal"
    """主要负责人"""
    ACTUAL_CONTROLLER = "actual_controller"
    """实际控制人"""
    DIRECTLY_RESPONSIBLE = "directly_responsible"
    """影响债务履行的直接责任人员"""


ROLE_ORDER: Final = {role: place for place, role in enumerate(Role)}
