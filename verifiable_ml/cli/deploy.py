# SPDX-License-Identifier: MIT OR Apache-2.0
"""`vml deploy`: the verifier of a program on a chain, its key pinned; or the check that what stands there is right."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from verifiable_ml import api
from verifiable_ml.cli.estimate import warning_row
from verifiable_ml.cli.node import EMBEDDED, ChainId, ChainName, ClaimVerifier, Keystore, PasswordFile, Verifier, Wanted, gas_rows
from verifiable_ml.cli.options import Backend, Hide, ProgramPath
from verifiable_ml.cli.render import Screen, facts, verdict_line
from verifiable_ml.cli.setup import made_keys
from verifiable_ml.cli.source import program
from verifiable_ml.cli.verify import REJECTED
from verifiable_ml.errors import InvalidInput

if TYPE_CHECKING:
    from verifiable_ml.chain import Chain, Registration
    from verifiable_ml.proving import Estimate

Check = Annotated[bool, typer.Option("--check", help="Send nothing: compare what is pinned with what the program asks for.")]


def deploy(
    screen: Screen,
    path: ProgramPath,
    backend: Backend = api.BACKEND,
    hide: Hide = None,
    chain: ChainName = EMBEDDED,
    check: Check = False,
    chain_id: ChainId = None,
    keystore: Keystore = None,
    password_file: PasswordFile = None,
    claim_verifier: ClaimVerifier = None,
    verifier: Verifier = None,
) -> int | None:
    """Deploy the ClaimVerifier and pin a program's key in it. On the embedded EVM: a rehearsal that says the gas.

    With --check the keys are made from the program again, and compared with what the chain pins: exit 1 if they differ.

    For example:
      vml deploy model.vml --chain embedded
    """
    if check and not claim_verifier:
        raise InvalidInput(
            thing="--check", reason="there is nothing to compare with", hint="name the contract: --claim-verifier ADDRESS"
        )
    made = program(path)
    node = Wanted(chain or EMBEDDED, chain_id, keystore, password_file, claim_verifier, verifier).connect()
    keys, expected = made_keys(screen, made, backend, hide)
    registration = keys.verification.registration()
    if check:
        return _check(screen, node, registration)
    _register(screen, node, registration, expected)
    return None


def _register(screen: Screen, node: Chain, registration: Registration, expected: Estimate) -> None:
    with screen.waiting(f"registering on {node.node.name}"):
        done = node.register(registration)
    document = {
        "node": node.node.name,
        "claim_verifier": done.claim_verifier,
        "verifier": done.verifier,
        "deployment_id": done.deployment_id.hex(),
        "gas": done.gas,
        "warning": expected.warning,
    }
    named = [(name.replace("_", " "), document[name]) for name in ("claim_verifier", "verifier", "deployment_id")]
    head = f"{node.node.name}{' (a rehearsal: it ends with this command)' if node.implicit else ''}"
    screen.show(document, facts(head, [*named, *gas_rows(done), *warning_row(expected)]))


def _check(screen: Screen, node: Chain, registration: Registration) -> int | None:
    found = node.check(registration)
    document = {"node": node.node.name, "differences": list(found), "deployment_id": registration.deployment_id.hex()}
    screen.show(document, verdict_line(not found, f"on {node.node.name}", ", ".join(found)))
    return REJECTED if found else None
