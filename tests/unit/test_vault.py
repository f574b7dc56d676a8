"""The secrets of a deployment, and what they seal."""

import base64
import stat
import threading

import msgspec
import pytest

from checker.errors import ConfigurationError
from checker.vault import KEY_BYTES, SECRETS_FILE, Secrets, Vault, load_secrets

PLACE = "listing.party_name"
VAULT = Vault(bytes(KEY_BYTES))


def in_base64(key):
    return base64.b64encode(key).decode()


def environ(token=bytes(32), encryption=bytes(range(32))):
    return {
        "CHECKER_TOKEN_KEY": in_base64(token),
        "CHECKER_ENCRYPTION_KEY": in_base64(encryption),
    }


def test_the_first_start_makes_two_keys_that_later_starts_find(tmp_path):
    made = load_secrets(tmp_path, {})

    assert len(made.token_key) == len(made.encryption_key) == KEY_BYTES
    assert made.token_key != made.encryption_key
    assert load_secrets(tmp_path, {}) == made


def test_two_deployments_have_different_keys(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()

    assert load_secrets(tmp_path / "a", {}) != load_secrets(tmp_path / "b", {})


def test_the_file_is_its_owners_alone_and_no_draft_is_left(tmp_path):
    load_secrets(tmp_path, {})
    [file] = tmp_path.iterdir()

    assert file.name == SECRETS_FILE
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644, 0o610])
def test_a_file_that_others_may_read_is_refused(tmp_path, mode):
    load_secrets(tmp_path, {})
    (tmp_path / SECRETS_FILE).chmod(mode)

    with pytest.raises(ConfigurationError, match=f"{SECRETS_FILE} must be private.*{mode:04o}"):
        load_secrets(tmp_path, {})


@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_a_file_of_its_owner_alone_is_taken(tmp_path, mode):
    made = load_secrets(tmp_path, {})
    (tmp_path / SECRETS_FILE).chmod(mode)

    assert load_secrets(tmp_path, {}) == made


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{}",
        b"not json",
        b"\xff",
        b'{"token_key": "", "encryption_key": ""}',
        msgspec.json.encode({"token_key": bytes(32), "encryption_key": bytes(31)}),
        msgspec.json.encode({"token_key": bytes(32)}),
        msgspec.json.encode({"token_key": bytes(32), "encryption_key": bytes(32), "more": 1}),
    ],
)
def test_a_file_without_two_keys_is_refused_and_kept(tmp_path, content):
    file = tmp_path / SECRETS_FILE
    file.write_bytes(content)
    file.chmod(0o600)

    with pytest.raises(ConfigurationError, match=SECRETS_FILE):
        load_secrets(tmp_path, {})
    assert file.read_bytes() == content


def test_a_folder_in_place_of_the_file_is_told(tmp_path):
    (tmp_path / SECRETS_FILE).mkdir(mode=0o700)

    with pytest.raises(ConfigurationError, match=SECRETS_FILE):
        load_secrets(tmp_path, {})


def test_both_variables_go_before_the_file_and_make_none(tmp_path):
    secrets = load_secrets(tmp_path, environ())

    assert secrets == Secrets(token_key=bytes(32), encryption_key=bytes(range(32)))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("missing", ["CHECKER_TOKEN_KEY", "CHECKER_ENCRYPTION_KEY"])
@pytest.mark.parametrize("empty", [True, False])
def test_one_variable_without_the_other_is_refused(tmp_path, missing, empty):
    half = environ()
    if empty:
        half[missing] = ""
    else:
        del half[missing]

    with pytest.raises(ConfigurationError, match="set both or none"):
        load_secrets(tmp_path, half)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("variable", ["CHECKER_TOKEN_KEY", "CHECKER_ENCRYPTION_KEY"])
@pytest.mark.parametrize("value", [in_base64(bytes(31)), in_base64(bytes(33)), "secret!", "密钥"])
def test_a_variable_that_is_no_key_is_refused_and_not_repeated(tmp_path, variable, value):
    with pytest.raises(ConfigurationError, match=variable) as refused:
        load_secrets(tmp_path, environ() | {variable: value})
    assert value not in str(refused.value)


def test_first_starts_at_once_end_with_the_same_keys(tmp_path):
    starts = 16
    barrier = threading.Barrier(starts)
    found = []

    def start():
        barrier.wait()
        found.append(load_secrets(tmp_path, {}))

    threads = [threading.Thread(target=start) for _ in range(starts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(found) == starts
    assert len({secrets.token_key for secrets in found}) == 1
    assert [file.name for file in tmp_path.iterdir()] == [SECRETS_FILE]


def test_secrets_do_not_show_in_a_traceback():
    assert repr(Secrets(token_key=b"k" * 32, encryption_key=b"k" * 32)) == "Secrets(…)"


@pytest.mark.parametrize("text", ["", "陈示例", "440882189001011230", "a\0b", "x" * 100_000])
def test_what_is_sealed_opens_again(text):
    assert VAULT.open(VAULT.seal(text, PLACE), PLACE) == text


def test_a_sealed_field_has_the_layout_that_its_readers_know():
    sealed = VAULT.seal("陈示例", PLACE, "1")

    assert sealed[:2] == bytes([2, 1])
    assert len(sealed) == 2 + 12 + len("陈示例".encode()) + 16


def test_what_an_older_version_sealed_opens_for_every_row_of_its_place():
    golden = bytes.fromhex("010102030405060708090a0b0c5ce394e7d5495ad6fb44d7c6db9ac2a89c")

    assert VAULT.open(golden, PLACE, "1") == VAULT.open(golden, PLACE, "2") == "a"
    with pytest.raises(ConfigurationError):
        VAULT.open(golden, "officer_link.name", "1")


@pytest.mark.parametrize("row", [(), ("2",), ("1", "1"), ("1,1",), ('1","1',)])
def test_a_value_moved_to_another_row_does_not_open(row):
    sealed = VAULT.seal("陈示例", PLACE, "1")

    assert VAULT.open(sealed, PLACE, "1") == "陈示例"
    with pytest.raises(ConfigurationError, match=PLACE):
        VAULT.open(sealed, PLACE, *row)


def test_a_digest_of_the_journal_needs_the_key_of_the_deployment():
    assert VAULT.digest(b"a") == VAULT.digest(b"a") != VAULT.digest(b"b")
    assert VAULT.digest(b"a") != Vault(bytes([1] * KEY_BYTES)).digest(b"a")


def test_no_two_sealings_are_alike():
    assert len({VAULT.seal("陈示例", PLACE) for _ in range(100)}) == 100


def test_a_text_does_not_show_through_its_seal():
    assert "陈示例".encode() not in VAULT.seal("陈示例", PLACE)


def test_another_key_does_not_open():
    with pytest.raises(ConfigurationError, match=PLACE):
        Vault(bytes([1] * KEY_BYTES)).open(VAULT.seal("陈示例", PLACE), PLACE)


def test_a_value_moved_to_another_place_does_not_open():
    with pytest.raises(ConfigurationError, match=r"officer_link\.name"):
        VAULT.open(VAULT.seal("陈示例", PLACE), "officer_link.name")


def test_a_value_with_any_bit_flipped_does_not_open():
    sealed = VAULT.seal("陈", PLACE)
    for position in range(len(sealed) * 8):
        spoilt = bytearray(sealed)
        spoilt[position // 8] ^= 1 << position % 8
        with pytest.raises(ConfigurationError):
            VAULT.open(bytes(spoilt), PLACE)


def test_a_value_cut_anywhere_does_not_open():
    sealed = VAULT.seal("陈示例", PLACE)
    for length in range(len(sealed)):
        with pytest.raises(ConfigurationError):
            VAULT.open(sealed[:length], PLACE)
