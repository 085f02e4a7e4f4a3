# SPDX-License-Identifier: MIT OR Apache-2.0
"""`vml deploy`: the verifier of a program on a chain, its key pinned; or the check that what stands there is right."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from verifiable_ml import api
from verifiable_ml.cli.estimate import warning_row
from verifiable_ml.cli.node import EMBEDDED, ChainId, ChainName, ClaimVerifier, Keystore, PasswordFile, Verifier, Wanted, gas_rows
from verifiable_ml.cli.optimistic import Claims
from verifiable_ml.cli.options import Backend, BatchCount, Hide, ProgramPath
from verifiable_ml.cli.render import Screen, facts, verdict_line
from verifiable_ml.cli.setup import made_keys
from verifiable_ml.cli.source import program
from verifiable_ml.cli.verify import REJECTED
from verifiable_ml.errors import InvalidInput

if TYPE_CHECKING:
    from verifiable_ml.chain import Chain, PlanRegistration, Registration
    from verifiable_ml.proving import Estimate

Optimistic = Annotated[
    bool, typer.Option("--optimistic", help="The contracts of the dispute game, and the program registered there; no key.")
]
Check = Annotated[bool, typer.Option("--check", help="Send nothing: compare what is pinned with what the program asks for.")]


def deploy(
    screen: Screen,
    path: ProgramPath,
    backend: Backend = api.BACKEND,
    hide: Hide = None,
    batch: BatchCount = None,
    chain: ChainName = EMBEDDED,
    check: Check = False,
    optimistic: Optimistic = False,
    claims: Claims = None,
    chain_id: ChainId = None,
    keystore: Keystore = None,
    password_file: PasswordFile = None,
    claim_verifier: ClaimVerifier = None,
    verifier: Verifier = None,
) -> int | None:
    """Deploy the contract that judges claims and pin a program's key in it. On the embedded EVM: a rehearsal that says the gas.

    With --check the keys are made from the program again, and compared with what the chain pins: exit 1 if they differ. With
    --optimistic no key is needed: the dispute game is deployed, or found with --claims, and the program registered.

    For example:
      vml deploy model.vml --chain embedded
      vml deploy model.vml --chain embedded --batch 16
      vml deploy model.vml --chain embedded --optimistic
    """
    if optimistic:
        node = Wanted(chain or EMBEDDED, chain_id, keystore, password_file).connect()
        _optimistic(screen, node, program(path), claims)
        return None
    if check and not claim_verifier:
        raise InvalidInput(
            thing="--check", reason="there is nothing to compare with", hint="name the contract: --claim-verifier ADDRESS"
        )
    made = program(path)
    node = Wanted(chain or EMBEDDED, chain_id, keystore, password_file, claim_verifier, verifier).connect()
    keys, expected = made_keys(screen, made, backend, hide, batch)
    registration = keys.verification.registration()
    if check:
        return _check(screen, node, registration)
    _register(screen, node, registration, expected)
    return None


def _optimistic(screen: Screen, node: Chain, made: api.Program, claims: str | None) -> None:
    from verifiable_ml.dispute import deployment, onchain

    with screen.waiting(f"deploying on {node.node.name}"):
        contracts = deployment.found(node, claims) if claims else deployment.deploy(node)
        is_there = onchain.is_registered(contracts, made.id)
        gas = contracts.gas | ({} if is_there else {"register": onchain.register(contracts, made).gas_used})
    named = [("OptimisticClaims", contracts.claims), ("DisputeGame", contracts.games), ("ProgramRegistry", contracts.registry)]
    rows = [*((name, contract.address) for name, contract in named), ("program id", made.id.hex())]
    total = [("gas, all of it", f"{sum(gas.values()):,}"), ("first block", contracts.first)]
    document = {"node": node.node.name, **dict(rows[:3]), "program_id": made.id.hex(), "gas": gas, "first_block": contracts.first}
    screen.show(document, facts(node.node.name, [*rows, *total]))


def _register(screen: Screen, node: Chain, registration: Registration | PlanRegistration, expected: Estimate) -> None:
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


def _check(screen: Screen, node: Chain, registration: Registration | PlanRegistration) -> int | None:
    found = node.check(registration)
    document = {"node": node.node.name, "differences": list(found), "deployment_id": registration.deployment_id.hex()}
    screen.show(document, verdict_line(not found, f"on {node.node.name}", ", ".join(found)))
    return REJECTED if found else None
