"""The secrets of a deployment, from its environment or its file."""

import base64
import stat
import threading

import msgspec
import pytest

from checker.deployment_secrets import SECRETS_FILE, Secrets, load_secrets, replace_secrets
from checker.errors import ConfigurationError
from checker.vault import KEY_BYTES

ONE, TWO = bytes([1] * KEY_BYTES), bytes([2] * KEY_BYTES)


def in_base64(key):
    return base64.b64encode(key).decode()


def environ(token=bytes(32), encryption=bytes(range(32))):
    return {
        "CHECKER_TOKEN_KEY": in_base64(token),
        "CHECKER_ENCRYPTION_KEY": in_base64(encryption),
    }


def test_the_first_start_makes_two_keys_that_later_starts_find(tmp_path):
    made = load_secrets(tmp_path, {})

    assert len(made.token_key) == len(made.encryption_keys[1]) == KEY_BYTES
    assert made.token_key != made.encryption_keys[1]
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
        msgspec.json.encode({"token_key": bytes(32), "encryption_keys": {}}),
        msgspec.json.encode({"token_key": bytes(32), "encryption_keys": {"0": bytes(32)}}),
        msgspec.json.encode({"token_key": bytes(32), "encryption_keys": {"256": bytes(32)}}),
        msgspec.json.encode({"token_key": bytes(32), "encryption_keys": {"2": bytes(31)}}),
        msgspec.json.encode(
            {"token_key": bytes(32), "encryption_key": ONE, "encryption_keys": {"1": ONE}}
        ),
        *(
            msgspec.json.encode(
                {"token_key": bytes(32), "encryption_key": ONE, "token_keys": {number: key}}
            )
            for number, key in (
                ("1", ONE),
                ("256", ONE),
                ("2", ONE[1:]),
                ("two", ONE),
                ("2", bytes(32)),  # the key that makes tokens
            )
        ),
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

    assert secrets == Secrets(token_key=bytes(32), encryption_keys={1: bytes(range(32))})
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
    assert repr(Secrets(token_key=b"k" * 32, encryption_keys={1: b"k" * 32})) == "Secrets(…)"


def test_a_file_of_one_key_has_the_form_that_older_versions_read(tmp_path):
    load_secrets(tmp_path, {})
    file = msgspec.json.decode((tmp_path / SECRETS_FILE).read_bytes())

    assert file.keys() == {"token_key", "encryption_key"}


def test_replaced_secrets_are_found_by_the_next_reader_alone_and_private(tmp_path):
    made = load_secrets(tmp_path, {})
    with_second = Secrets(
        token_key=made.token_key, encryption_keys={**made.encryption_keys, 2: TWO}
    )
    replace_secrets(tmp_path, with_second)

    assert load_secrets(tmp_path, {}) == with_second
    [file] = tmp_path.iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    only_second = Secrets(token_key=made.token_key, encryption_keys={2: TWO})
    replace_secrets(tmp_path, only_second)
    assert load_secrets(tmp_path, {}) == only_second


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        (in_base64(ONE), {1: ONE}),
        (f"1:{in_base64(ONE)}", {1: ONE}),
        (f"2:{in_base64(TWO)}", {2: TWO}),
        (f"1:{in_base64(ONE)},2:{in_base64(TWO)}", {1: ONE, 2: TWO}),
        (f"7:{in_base64(TWO)}, 1:{in_base64(ONE)}", {1: ONE, 7: TWO}),
    ],
)
def test_a_variable_holds_one_key_or_several_with_their_numbers(tmp_path, text, keys):
    given = environ() | {"CHECKER_ENCRYPTION_KEY": text}

    assert load_secrets(tmp_path, given).encryption_keys == keys


@pytest.mark.parametrize(
    "text",
    [
        f"1:{in_base64(ONE)},1:{in_base64(TWO)}",
        f"0:{in_base64(ONE)}",
        f"256:{in_base64(ONE)}",
        f"-1:{in_base64(ONE)}",
        f"x:{in_base64(ONE)}",
        f"1:{in_base64(ONE)},",
        f"1:{in_base64(ONE)},{in_base64(TWO)}",
        f"1:{in_base64(bytes(31))}",
        ":",
    ],
)
def test_numbered_keys_that_cannot_be_read_are_refused_and_not_repeated(tmp_path, text):
    for variable in ("CHECKER_ENCRYPTION_KEY", "CHECKER_TOKEN_KEY"):
        with pytest.raises(ConfigurationError, match=variable) as refused:
            load_secrets(tmp_path, environ() | {variable: text})
        assert in_base64(ONE) not in str(refused.value)


def test_the_variable_of_token_keys_has_the_first_key_and_further_ones(tmp_path):
    text = f"1:{in_base64(ONE)}, 3:{in_base64(TWO)}"
    found = load_secrets(tmp_path, environ() | {"CHECKER_TOKEN_KEY": text})

    assert (found.token_key, found.token_keys) == (ONE, {3: TWO})
    # Without the first key no token could be made.
    with pytest.raises(ConfigurationError, match="CHECKER_TOKEN_KEY"):
        load_secrets(tmp_path, environ() | {"CHECKER_TOKEN_KEY": f"3:{in_base64(TWO)}"})


def test_further_token_keys_stay_in_the_file(tmp_path):
    made = load_secrets(tmp_path, {})
    replace_secrets(tmp_path, msgspec.structs.replace(made, token_keys={2: TWO}))

    assert load_secrets(tmp_path, {}).token_keys == {2: TWO}
    assert load_secrets(tmp_path, {}).token_key == made.token_key
