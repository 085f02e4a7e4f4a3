# SPDX-License-Identifier: MIT OR Apache-2.0
"""Keys of accounts: where they come from, and that no error shows them."""

from __future__ import annotations

import json

import pytest
from eth_account import Account
from web3 import Web3

from verifiable_ml.chain import Chain, from_environment, from_keystore, password_file
from verifiable_ml.chain.node import Node
from verifiable_ml.errors import InvalidInput

SECRET = "0x" + "1f" * 32


@pytest.fixture
def keystore(tmp_path):
    path = tmp_path / "key.json"
    path.write_text(json.dumps(Account.encrypt(SECRET, "correct horse", kdf="pbkdf2", iterations=2)))
    return path


def test_keystore_right_password_gives_the_account(keystore, tmp_path):
    (tmp_path / "password").write_text("correct horse\n")
    account = from_keystore(keystore, password_file(tmp_path / "password"))
    assert account.address == Account.from_key(SECRET).address


@pytest.mark.parametrize("password", ["wrong", ""])
def test_keystore_wrong_password_is_invalid_input(keystore, password):
    with pytest.raises(InvalidInput, match="password is another one"):
        from_keystore(keystore, lambda: password)


GARBAGE = (
    *("", "{}", "[]", "null", "7", '{"crypto": 3}', '{"version": 3, "crypto": {}}', '{"version": 3, "crypto": []}', "\x00"),
    *('{"version": 9, "crypto": {}}', '{"version": 4, "crypto": {"kdf": 1}}', '{"version": null}', "[" * 100_000),
    '{"version": 3, "crypto": {"kdf": "argon2", "ciphertext": "00", "mac": "00"}}',
    '{"version": 3, "crypto": {"kdf": "scrypt", "kdfparams": {"n": 3, "r": 8, "p": 1, "dklen": 32, "salt": "00"}}}',
    '{"version": 3, "crypto": {"kdf": "pbkdf2", "kdfparams": {"c": -1, "prf": "md5", "dklen": 32, "salt": "zz"}}}',
)


@pytest.mark.parametrize("content", GARBAGE, ids=lambda content: content[:40])
def test_keystore_of_garbage_is_invalid_input(tmp_path, content):
    (tmp_path / "key.json").write_text(content)
    with pytest.raises(InvalidInput, match="is no keystore"):
        from_keystore(tmp_path / "key.json", lambda: "x")


@pytest.mark.parametrize("at", range(0, 400, 7))
def test_keystore_with_one_byte_changed_is_invalid_input_or_the_same_account(keystore, at):
    content = bytearray(keystore.read_bytes())
    content[at % len(content)] ^= 1
    keystore.write_bytes(content)
    try:
        account = from_keystore(keystore, lambda: "correct horse")
    except InvalidInput as error:
        assert "correct horse" not in str(error)
    else:
        assert account.address == Account.from_key(SECRET).address


def test_keystore_whose_password_is_not_given_ends_as_the_prompt_ends(keystore):
    """A prompt that is broken off is no wrong password."""

    def broken_off() -> str:
        raise RuntimeError("Abort")

    with pytest.raises(RuntimeError, match="Abort"):
        from_keystore(keystore, broken_off)


def test_account_and_node_that_hold_a_key_never_show_it(keystore, caplog):
    caplog.set_level(0)
    account = from_keystore(keystore, lambda: "correct horse")
    node = Node(Web3(), "a node", 1, account.address, account)
    for shown in (repr(account), str(account), repr(node), repr(Chain(node)), f"{vars(node)}", caplog.text):
        assert SECRET[2:] not in shown.lower()
        assert repr(bytes.fromhex(SECRET[2:]))[2:-1] not in shown


def test_keystore_missing_is_invalid_input(tmp_path):
    with pytest.raises(InvalidInput, match="cannot be read"):
        from_keystore(tmp_path / "none.json", lambda: "x")


def test_password_file_missing_is_invalid_input(keystore, tmp_path):
    with pytest.raises(InvalidInput, match="password file"):
        from_keystore(keystore, password_file(tmp_path / "none"))


def test_environment_without_key_gives_none(monkeypatch):
    monkeypatch.delenv("VML_PRIVATE_KEY", raising=False)
    assert from_environment() is None


@pytest.mark.parametrize("secret", ["0x" + "1f" * 31, "not hex, but secret", "0x" + "00" * 32, "0x" + "1f" * 33])
def test_environment_with_broken_key_never_shows_it(monkeypatch, secret):
    monkeypatch.setenv("VML_PRIVATE_KEY", secret)
    with pytest.raises(InvalidInput) as caught:
        from_environment()
    assert secret not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__
