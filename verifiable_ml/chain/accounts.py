# SPDX-License-Identifier: MIT OR Apache-2.0
"""Who signs: an encrypted keystore, or VML_PRIVATE_KEY. A key is never an argument, never logged, never in an error."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from eth_account import Account
from eth_account.signers.local import LocalAccount

from verifiable_ml.commitment import parse_json
from verifiable_ml.errors import InvalidInput

VARIABLE = "VML_PRIVATE_KEY"


def from_environment() -> LocalAccount | None:
    """The account of VML_PRIVATE_KEY, None if it is not set. Raises InvalidInput if it is no key."""
    secret = os.environ.get(VARIABLE)
    return _account(secret, VARIABLE) if secret else None


def from_keystore(path: Path, password: Callable[[], str]) -> LocalAccount:
    """Decrypt a keystore file (Web3 Secret Storage, as geth and foundry write it).

    password: asked once, when it is needed: a prompt, or `password_file(path)`. Raises InvalidInput.
    """
    thing, hint = f"the keystore {path.name}", "check its path and the password"
    try:
        content = path.read_bytes()
    except OSError:
        raise _invalid(thing, "it cannot be read", hint) from None
    asked = password()
    try:
        keystore = parse_json(content)
        secret = bytes(Account.decrypt(keystore, asked)).hex()
        named = str(keystore.get("address", ""))
    except Exception:  # `from None`: whatever a decrypter says about a damaged file may quote what it was given
        raise _invalid(thing, "it is no keystore, or its password is another one", hint) from None
    account = _account(secret, thing)
    # The format's checksum leaves out the initialisation vector, so a damaged one decrypts: to the key of nobody.
    if named and named.lower().removeprefix("0x") != account.address[2:].lower():
        raise _invalid(thing, "its key is not that of the address it names", "it is damaged: take it from a backup")
    return account


def password_file(path: Path) -> Callable[[], str]:
    """A password that stands alone in a file; one line end is dropped."""

    def read() -> str:
        try:
            return path.read_text().removesuffix("\n").removesuffix("\r")
        except (OSError, UnicodeDecodeError):
            raise _invalid(f"the password file {path.name}", "it cannot be read", "check its path and rights") from None

    return read


def _account(secret: str, origin: str) -> LocalAccount:
    try:
        account: LocalAccount = Account.from_key(secret)
    except Exception:  # whatever a library says about a broken key may contain it
        raise _invalid(origin, "it is no private key (32 bytes in hex)", "export one account's key, with nothing else") from None
    return account


def _invalid(thing: str, reason: str, hint: str) -> InvalidInput:
    return InvalidInput(thing=thing, reason=reason, hint=hint)
