"""Digests of orders, which the database keeps while the service is upgraded."""

from cache.token import Token, Tokenizer
from checker.domain.document import Document, DocumentType
from checker.domain.jurisdiction import Jurisdiction
from checker.domain.service import Resort
from checker.domain.service_terms import ResortVenue
from checker.registry.prepared_check import PreparedCheck, PreparedSubject
from checker.registry.sealing import Sealer
from checker.spending.spending import said_of
from checker.vault import Vault


def test_the_digest_of_an_authorization_stays_as_it_was_in_the_first_version() -> None:
    document = Document(type=DocumentType.RESIDENT_ID, number="440882189001011230")
    check = PreparedCheck(
        subject=PreparedSubject(token=Token(bytes(16)), document=document, name="陈示例"),
        service=Resort(venue=ResortVenue.RATED_RESORT, amount_fen=100),
        jurisdiction=Jurisdiction("440882"),
        reference="ORDER-1",
    )
    sealer = Sealer(Tokenizer(bytes(32)), Vault(bytes(32)))
    digest = sealer.request_digest(said_of(check, 600))
    assert digest.hex() == "7fa78f1bd464c5cb105ae49c7fa65991"
