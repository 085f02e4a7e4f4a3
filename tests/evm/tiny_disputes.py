# SPDX-License-Identifier: MIT OR Apache-2.0
"""The tiny circuit's computation as a Program of ours, and the contracts that dispute it or run it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import rlp
from tiny_circuit import INPUT, WEIGHTS

from verifiable_ml.chain import Chain, Contract
from verifiable_ml.commitment import Dtype, encode_tensor, keccak
from verifiable_ml.dispute.witness import Witness
from verifiable_ml.execute import Trace, recorder
from verifiable_ml.program import OPERATORS, Builder, Interval, Program, Tokens, identity

LOCAL = 2
"""The profile of rule 44 in which a window takes two minutes."""
WINDOW = 120


def tiny_program() -> Program:
    """y = x W, with the input interval that the tiny circuit's key declares."""
    builder = Builder()
    x = builder.input("x", INPUT.shape, Interval(0, 250), Tokens())
    builder.output("y", builder.apply("matmul", x, builder.constant(WEIGHTS.T)), Tokens())
    return builder.build()


def tiny_trace(program: Program) -> Trace:
    return recorder(program)({"x": INPUT})


def of_program(proof: Any, program: Program) -> Any:
    """A recorded proof, claimed of this program and pinned for it: the circuit computes what the program does."""
    pinned = replace(proof.pinned, program_id=program.id)
    return replace(proof, claim=replace(proof.claim, program_id=program.id), pinned=pinned)


@dataclass(frozen=True)
class Disputes:
    """OptimisticClaims, and what it asks."""

    steps: Contract
    registry: Contract
    claims: Contract


def deploy_disputes(chain: Chain) -> Disputes:
    """Claims and games name each other, so the address of the second is computed before the first is made."""
    steps = chain.deploy("Steps", [chain.deploy(f"{name.capitalize()}Step").address for name in OPERATORS])
    registry = chain.deploy("ProgramRegistry", steps.address)
    nonce = chain.node.web3.eth.get_transaction_count(chain.node.sender) + 1
    games = keccak(rlp.encode([bytes.fromhex(chain.node.sender[2:]), nonce]))[12:]
    claims = chain.deploy("OptimisticClaims", "0x" + games.hex(), registry.address)
    chain.deploy("DisputeGame", claims.address, steps.address, 6)
    return Disputes(steps, registry, claims)


def register(disputes: Disputes, trace: Trace) -> None:
    """Make the program of a trace known."""
    witness = Witness(trace)
    program, index = trace.program, trace.program.outputs[0].index
    described = witness.descriptor(index), list(witness.descriptor_path(index))
    root = witness._descriptor_tree.root
    disputes.registry.send("register", identity.header(program), program.salt, root, [described], "")


def deploy_execution(chain: Chain, disputes: Disputes, program: Program) -> Contract:
    """OnChainExecution, with a program that has no records."""
    execution = chain.deploy("OnChainExecution", disputes.steps.address)
    for values in program.constants:
        execution.send("store", int(Dtype.of(values)), encode_tensor(values))
    descriptors = [identity.descriptor(program, operator) for operator in program.operators]
    execution.send("register", program.salt, identity.header(program), descriptors)
    return execution


def answer(disputes: Disputes, claims_request: bytes, trace: Trace, outputs: list[bytes]) -> bytes:
    """Assert outputs on the honest trace, with the bond; the assertion's id."""
    witness, inputs = Witness(trace), len(trace.program.inputs)
    places = [*range(inputs), *(output.index for output in trace.program.outputs)]
    shown = trace.root, list(trace.roots[:inputs]), [list(witness.tensor_path(place)) for place in places]
    bond, _ = disputes.claims.call("bonds", claims_request)
    sent = disputes.claims.send("assertOutputs", claims_request, shown, outputs, value=bond)
    events = disputes.claims.events(sent.block, sent.block)
    return next(event.values["assertionId"] for event in events if event.name == "Asserted")


def claimed(trace: Trace) -> list[bytes]:
    return [np.ascontiguousarray(output).tobytes() for output in trace.outputs]
