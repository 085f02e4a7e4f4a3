# SPDX-License-Identifier: MIT OR Apache-2.0
"""Keys of accounts: where they come from, and that no error shows them."""

from __future__ import annotations

import json

import pytest
from eth_account import Account

from verifiable_ml.chain import from_environment, from_keystore, password_file
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


@pytest.mark.parametrize("content", ["", "{}", "[]", "null", '{"crypto": 3}', '{"version": 3, "crypto": {}}', "\x00"])
def test_keystore_of_garbage_is_invalid_input(tmp_path, content):
    (tmp_path / "key.json").write_text(content)
    with pytest.raises(InvalidInput, match="is no keystore"):
        from_keystore(tmp_path / "key.json", lambda: "x")


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
