"""The sections that the pages cite beside a right or a duty, each in one place.

Sections without the number of a document are those of 中办发〔2016〕64号.
"""

from collections.abc import Mapping
from typing import Final

CITED: Final[Mapping[str, str]] = {
    "document": "中办发〔2016〕64号",
    "consumption": "二（七）",
    "resort": "二（七）3",
    "school": "二（七）4",
    "publication": "三（一）",
    "listing": "四（二）1",
    "correction": "四（二）3",
    "removal": "四（二）4",
    "lifting": "四（二）5",
    "private_funds": "法释〔2015〕17号第三条第二款",
    "permit": "法释〔2015〕17号第八条",
    "order_lifting": "法释〔2015〕17号第九条",
}

CITED_IN_FULL: Final[Mapping[str, str]] = {
    name: section if "〔" in section else CITED["document"] + section
    for name, section in CITED.items()
}
"""The same sections, each with the number of its document."""
