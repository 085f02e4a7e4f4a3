# SPDX-License-Identifier: MIT OR Apache-2.0
"""One contract that follows plans against a contract written for one program: gas of deployment and of a proof."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from verifiable_ml import api
from verifiable_ml.bench.generator import Plan, generate
from verifiable_ml.bench.native import seeded_networks
from verifiable_ml.bench.table import Cell, Table
from verifiable_ml.chain import UNBOUND, Chain, Contract, PlanRegistration, embedded
from verifiable_ml.chain.contract import deploy
from verifiable_ml.chain.pins import data_contract
from verifiable_ml.chain.solc import OPTIMISED, compile_sources
from verifiable_ml.commitment import Privacy
from verifiable_ml.commitment.codec import IntArray
from verifiable_ml.errors import BackendUnavailable
from verifiable_ml.execute import encode_inputs
from verifiable_ml.frontend import zoo
from verifiable_ml.program import Program
from verifiable_ml.proving import Proof, batch_backend
from verifiable_ml.proving.base import Progress, silent
from verifiable_ml.proving.sumcheck import SumcheckKey

CHECKOUT = Path(__file__).resolve().parents[2]
FOLDER = "challenge/test/sumcheck"
LIBRARIES = (
    "Curve", "IndexTable", "LookupRounds", "Mercury", "Multilinear", "PublicValue", "Rounds", "Scalar", "Transcript",
)  # fmt: skip
SOLADY = "FixedPointMathLib", "LibBit"
AS_WRITTEN = {**OPTIMISED, "details": {"yul": True, "yulDetails": {"optimizerSteps": ""}}}
"""The optimiser of assembly as text gives names to what is read twice, until there are more names than the stack has words."""


@dataclass(frozen=True)
class Deployed:
    """before: what `verify` takes before context, statement and proof. gas: to deploy what is for this program alone.
    sizes: bytes of all code that verifies.
    """

    verifier: Contract
    before: tuple[Any, ...]
    gas: int
    sizes: tuple[int, ...]

    def arguments(self, statement: tuple[int, ...], proof: tuple[int, ...]) -> tuple[Any, ...]:
        """Of `verify`, in no request's context."""
        return *self.before, UNBOUND, statement, proof


def gas_generated(progress: Progress = silent) -> Table:
    """A verifier for all programs against one written for each: deployment and gas of a proof."""
    rows, cases = list[tuple[Cell, ...]](), list(_programs())
    for place, (name, program, inputs) in enumerate(cases):
        progress(name, place / len(cases))
        rows.append((name, *_cells(*proved(program, inputs))))
    columns = (
        "model", "plan, B", "plan's deployment, gas", "generic, gas", "generated code, B", "its deployment, gas",
        "generated, gas", "generated / generic", "cheaper from proof",
    )  # fmt: skip
    notes = (
        "`verify` of each verifier, called by a transaction, calldata and 21,000 included; what a claim verifier adds is left "
        "out of both. The generic verifier is deployed once for all programs, which is left out as well.",
        "Generated: arithmetic in straight lines, the protocol by the same libraries; the same compiler, but that its optimiser "
        "leaves assembly as it is written. What finds no room in the 24,576 bytes of a contract is in others, which the first "
        "one calls.",
        "Cheaper from proof: how many proofs make up for the dearer deployment.",
    )
    return Table("gas-generated", "Gas of a generic and of generated verifiers", columns, tuple(rows), notes)


def _programs() -> Iterator[tuple[str, Program, dict[str, IntArray]]]:
    for name in zoo.names():
        model = zoo.model(name)
        program = api.compile(model.path, model.calibration())
        yield name, program, dict(encode_inputs(program, model.test(1)[0][0], saturate=True))
    for network in seeded_networks().NETWORKS:
        if network.count == 1:
            program, (inputs,) = network.compiled()
            yield network.name, program, inputs


def _cells(registration: PlanRegistration, statement: tuple[int, ...], proof: tuple[int, ...]) -> tuple[Cell, ...]:
    chain = embedded()
    generic, own = generic_verifier(chain, registration), generated_verifier(chain, registration)
    old, new = (each.verifier.send("verify", *each.arguments(statement, proof)).gas_used for each in (generic, own))
    proofs = -(-(own.gas - generic.gas) // (old - new)) if new < old else "never"
    code = " + ".join(f"{size:,}" for size in own.sizes)
    return len(registration.plan), generic.gas, old, code, own.gas, new, new / old, proofs


def proved(program: Program, inputs: dict[str, IntArray]) -> tuple[PlanRegistration, tuple[int, ...], tuple[int, ...]]:
    """A program's plan, the words of a statement and those of its proof."""
    backend = batch_backend("sumcheck")
    keys = backend.setup(program, Privacy())
    assert isinstance(keys.verification, SumcheckKey)
    registration = keys.verification.registration()
    proof = backend.prove(program, inputs, keys)
    return registration, _statement(registration, proof), _words(proof.payload)


def _statement(registration: PlanRegistration, proof: Proof) -> tuple[int, ...]:
    """As the contract Statement writes a claim's tensors."""
    data, words = (*proof.public_inputs, *(output.data for output in proof.claim.outputs)), list[int]()
    for layout, given in zip(registration.inputs + registration.outputs, data, strict=True):
        low, high = layout.interval
        values = np.frombuffer(given, layout.dtype.numpy).astype("u1" if low >= 0 and high < 256 else "<i8").tobytes()
        words += _words(values + bytes(-len(values) % 32))
    return tuple(words)


def _words(data: bytes) -> tuple[int, ...]:
    return tuple(int.from_bytes(data[at : at + 32]) for at in range(0, len(data), 32))


def generic_verifier(chain: Chain, registration: PlanRegistration) -> Deployed:
    """The contract that ships, and the plan's data contracts, whose gas it is."""
    stored = [deploy(chain.node, data_contract(part)) for part in registration.parts()]
    plans = tuple(contract.address for contract, _ in stored)
    verifier = chain.deploy("SumcheckVerifier")
    return Deployed(verifier, (plans,), sum(sent.gas_used for _, sent in stored), (len(verifier.artifact.runtime),))


def generated_verifier(chain: Chain, registration: PlanRegistration) -> Deployed:
    """Raises BackendUnavailable without a compiler and the contracts' sources."""
    made = generate(Plan(registration.plan))
    compiled = compile_sources(
        {**_sources(), f"{FOLDER}/GeneratedVerifier.sol": made.source}, f"{FOLDER}/GeneratedVerifier.sol", AS_WRITTEN
    )
    parts = [deploy(chain.node, compiled[f"GeneratedPart{place}"]) for place in range(made.parts)]
    verifier, sent = deploy(chain.node, compiled["GeneratedVerifier"], *(contract.address for contract, _ in parts))
    gas = sent.gas_used + sum(each.gas_used for _, each in parts)
    return Deployed(verifier, (), gas, tuple(len(each.artifact.runtime) for each in (verifier, *(each for each, _ in parts))))


def _sources() -> dict[str, str]:
    files = {f"challenge/src/sumcheck/{name}.sol": f"challenge/src/sumcheck/{name}.sol" for name in LIBRARIES}
    files |= {f"solady/utils/{name}.sol": f"node_modules/solady/src/utils/{name}.sol" for name in SOLADY}
    files[f"{FOLDER}/GeneratedBase.sol"] = f"{FOLDER}/GeneratedBase.sol"
    try:
        return {name: (CHECKOUT / path).read_text() for name, path in files.items()}
    except OSError as error:
        hint = "run it in a checkout, after `make npm`"
        raise BackendUnavailable(thing="sources of the contracts", reason=f"{error.filename} is not there", hint=hint) from error
