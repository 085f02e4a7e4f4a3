# SPDX-License-Identifier: MIT OR Apache-2.0
"""Which chain a command line means: `embedded`, or a node with the account that pays there."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from verifiable_ml.cli.settings import setting
from verifiable_ml.errors import InvalidInput

if TYPE_CHECKING:
    from verifiable_ml.chain import Chain, Registered

EMBEDDED = "embedded"
ChainName = Annotated[
    str | None, setting("chain", "--chain", help="embedded (an EVM in this process); a node: http://…, a socket.")
]
ChainId = Annotated[int | None, setting("chain_id", "--chain-id", help="What the node's chain must be.")]
Keystore = Annotated[Path | None, setting("keystore", "--keystore", help="Who pays: an encrypted key; else VML_PRIVATE_KEY.")]
PasswordFile = Annotated[Path | None, setting("password_file", "--password-file", help="Of the keystore; else it is asked for.")]
ClaimVerifier = Annotated[str | None, setting("claim_verifier", "--claim-verifier", help="Address of one that stands.")]
Verifier = Annotated[str | None, setting("verifier", "--verifier", help="Address of ezkl's, if it stands.")]


@dataclass(frozen=True)
class Wanted:
    """The chain that a command line names."""

    chain: str
    chain_id: int | None = None
    keystore: Path | None = None
    password_file: Path | None = None
    claim_verifier: str | None = None
    verifier: str | None = None

    def connect(self) -> Chain:
        """Raises Unreachable, WrongChain, ChainError, InvalidInput."""
        from verifiable_ml import chain

        if self.chain == EMBEDDED:
            if self.chain_id is not None or self.claim_verifier or self.verifier:
                raise InvalidInput(
                    thing="--chain embedded",
                    reason="it is new and empty: no id, no address fits it",
                    hint="leave those options out",
                )
            return chain.embedded()
        account = chain.from_keystore(self.keystore, self._password) if self.keystore else None
        return chain.connect(self.chain, account, self.chain_id, self.claim_verifier, self.verifier)

    def _password(self) -> str:
        from verifiable_ml.chain import password_file

        if self.password_file:
            return password_file(self.password_file)()
        answer: str = typer.prompt("password of the keystore", hide_input=True, err=True)
        return answer


def gas_rows(registered: Registered) -> list[tuple[str, str]]:
    """What a registration cost, contract by contract."""
    return [(f"gas, {what}", f"{gas:,}") for what, gas in registered.gas.items()]
