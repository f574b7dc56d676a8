"""Tricks of a hand in the database: statements, and a part of the first fault that follows."""

TOKEN_OF_ONE = "(SELECT token FROM authorization_step ORDER BY pk LIMIT 1)"
NEWEST = "(SELECT authorization_id FROM authorization_step ORDER BY pk DESC LIMIT 1)"
SWAP = """
    UPDATE {table} AS one SET {column} = other.{column} FROM {table} AS other
    WHERE one.{key} IN ({first}, {second}) AND other.{key} IN ({first}, {second})
      AND one.{key} <> other.{key}
"""


def swap(table, column, first, second, key="pk"):
    return SWAP.format(table=table, column=column, key=key, first=first, second=second)


def listing_pk(listing_id):
    return f"(SELECT max(pk) FROM listing WHERE id = '{listing_id}')"


LISTING_1, LISTING_2 = listing_pk("listing-1"), listing_pk("listing-2")
SPENDING = ("authorization_step", "spending_total", "open_hold")

TRICKS = {
    "a person's spending": (
        [
            *(f"DELETE FROM {table} WHERE token = {TOKEN_OF_ONE}" for table in SPENDING[1:]),
            f"DELETE FROM authorization_step WHERE token = {TOKEN_OF_ONE}",
        ],
        "step ",
    ),
    "all spending": ([f"DELETE FROM {table}" for table in SPENDING], "step "),
    "the newest authorization": (
        [
            (
                "UPDATE spending_total SET captured_fen = captured_fen - 100 WHERE token ="
                f" (SELECT token FROM authorization_step WHERE authorization_id = {NEWEST} LIMIT 1)"
            ),
            f"DELETE FROM authorization_step WHERE authorization_id = {NEWEST}",
        ],
        "step ",
    ),
    "a step's account": (
        [
            (
                "UPDATE authorization_step SET account_id = (SELECT id FROM account WHERE"
                " name = 'court') WHERE number = 1"
            )
        ],
        "step ",
    ),
    "a step's instant": (
        ["UPDATE authorization_step SET at = at + interval '1 s' WHERE kind = 'captured'"],
        "step ",
    ),
    "a listing ended": (
        [
            (
                f"UPDATE listing SET until_version = (SELECT max(version) FROM change)"
                f" WHERE pk = {LISTING_1}"
            ),
        ],
        "listing-end listing-1#",
    ),
    "a listing's end taken back": (
        ["UPDATE listing SET until_version = NULL WHERE id = 'listing-9'"],
        "listing-end listing-9#",
    ),
    "a listing deleted": (
        [
            f"DELETE FROM document WHERE listing_pk = {LISTING_1}",
            "DELETE FROM listing WHERE id = 'listing-1'",
        ],
        "listing listing-1#",
    ),
    "a listing moved to another change": (
        [f"UPDATE listing SET from_version = from_version + 1 WHERE pk = {LISTING_1}"],
        "listing listing-1#",
    ),
    "a listing written": (
        [
            (
                "INSERT INTO listing (id, digest, case_number, court, public, party_type, "
                "party_name,"
                " from_version) SELECT 'listing-99', digest, case_number, court, public, "
                "party_type,"
                f" party_name, from_version FROM listing WHERE pk = {LISTING_1}"
            )
        ],
        "listing listing-99#",
    ),
    "tokens swapped": (
        [swap("document", "token", LISTING_1, LISTING_2, key="listing_pk")],
        "listing listing-1#",
    ),
    "tokens and numbers swapped": (
        [
            swap("document", "token", LISTING_1, LISTING_2, key="listing_pk"),
            swap("document", "number", LISTING_1, LISTING_2, key="listing_pk"),
        ],
        "listing listing-1#",
    ),
    "sealed names swapped": (
        [swap("listing", "party_name", LISTING_1, LISTING_2)],
        "listing listing-1#",
    ),
    "names of one listing's officers swapped": (
        [
            """
            UPDATE officer_link AS one SET name = other.name FROM officer_link AS other
            WHERE one.listing_pk = other.listing_pk AND one.pk <> other.pk
            """
        ],
        "listing listing-3#",
    ),
    "an officer deleted": (
        [
            "DELETE FROM document WHERE officer_pk = (SELECT max(pk) FROM officer_link)",
            "DELETE FROM officer_link WHERE pk = (SELECT max(pk) FROM officer_link)",
        ],
        "listing listing-3#",
    ),
    "a permit widened": (
        ["UPDATE permit SET services = '{air,rail,lodging}' WHERE id = 'permit-1'"],
        "permit permit-1",
    ),
    "a withdrawn permit in force again": (
        ["UPDATE permit SET until_version = NULL WHERE id = 'permit-2'"],
        "permit-end permit-2",
    ),
    "a use of a permit deleted": (
        ["DELETE FROM permit_answer", "DELETE FROM permit_use"],
        "permit_use permit-1#",
    ),
    "a use of a permit given back": (
        ["UPDATE permit_use SET returned_at = at, returned_by = gen_random_uuid()"],
        "permit_return permit-1#",
    ),
    "the use of a permit under another answer": (
        ["UPDATE permit_answer SET decision_id = gen_random_uuid()"],
        "permit_answer ",
    ),
    "a shielding deleted": (
        ["DELETE FROM directive WHERE kind = 'shielding'"],
        "directive listing-6#",
    ),
    "a retention made longer": (
        ["""UPDATE directive SET "on" = '2037-01-01' WHERE kind = 'retention'"""],
        "directive listing-8#",
    ),
    "a bound document taken away": (
        ["DELETE FROM bound_document WHERE until_version IS NOT NULL"],
        "bound_document ",
    ),
    "a change's instant": (
        ["UPDATE change SET at = at - interval '1 day' WHERE version = 2"],
        "change 2",
    ),
    "an account's role": (
        ["UPDATE account SET role = 'court' WHERE name = 'hotel'"],
        "account ",
    ),
    "an account's scope": (
        ["UPDATE account SET items_per_minute = 0 WHERE name = 'hotel'"],
        "account ",
    ),
    "an account's networks": (
        ["UPDATE account SET networks = '{192.0.2.0/24}' WHERE name = 'hotel'"],
        "account ",
    ),
    "a revoked key in force again": (
        ["UPDATE api_key SET revoked_at = NULL WHERE revoked_at IS NOT NULL"],
        "api_key ",
    ),
    "a key made by hand": (
        [
            (
                "INSERT INTO api_key (account_id, digest) SELECT id, 'x' FROM account"
                " WHERE name = 'court'"
            )
        ],
        "api_key ",
    ),
    "a flag that was cleared": (
        ["UPDATE account_flag SET cleared_at = NULL, cleared_by = NULL"],
        "account_flag ",
    ),
    "an operator's action": (
        ["UPDATE operator_action SET details = '{}' WHERE action = 'change_account'"],
        "operator_action ",
    ),
    "operators' actions removed": (["DELETE FROM operator_action"], "operator_action "),
    "a key of receipts": (
        ["UPDATE receipt_key SET signs_from = signs_from + interval '1 day'"],
        "receipt_key ",
    ),
    "a ruling": (
        ["UPDATE correction SET ruling = 'upheld' WHERE ruling = 'rejected'"],
        "correction ",
    ),
    "what a ruling ended": (
        ["UPDATE correction_listing SET delisted = NOT delisted"],
        "correction ",
    ),
    "an outline": (
        ["UPDATE outline SET outline = '\\x01'"],
        "the outline of the token ",
    ),
    "an outline deleted": (["DELETE FROM outline"], "the outline of the token "),
    "an entry's version": (
        ["UPDATE journal SET version = 1 WHERE version = 2"],
        "link ",
    ),
    "an entry removed": (
        ["DELETE FROM journal WHERE number = 9"],
        "links 9 to 9 of the journal are missing",
    ),
    "an older state of an account again": (
        [
            """
            INSERT INTO journal (nonce, area, version, keys, digests, mac)
            SELECT nonce, area, version, keys, digests, mac FROM journal
            WHERE keys[1] = 'account ' || (SELECT id FROM account WHERE name = 'hotel')
            ORDER BY number LIMIT 1
            """
        ],
        "the journal has an entry 2 times",
    ),
    "links taken off": (
        ["UPDATE journal SET number = NULL, link = NULL WHERE number BETWEEN 5 AND 7"],
        "links 5 to 7 of the journal are missing",
    ),
    "the decisions' chain made anew": (
        [
            (
                "UPDATE decision SET outcome = 'review' WHERE id = (SELECT decision_id "
                "FROM chain_link"
                " WHERE number = 1)"
            ),
            "DELETE FROM chain_link",
            (
                "INSERT INTO unchained (decision_id, decision_at) SELECT id, at FROM decision"
                " ORDER BY id"
            ),
        ],
        "of the decisions: it is not the one of its time",
    ),
}
