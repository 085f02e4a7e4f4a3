# SPDX-License-Identifier: MIT OR Apache-2.0
"""Where the gas of a native proof goes: by operator, each proved alone, and by what the EVM does while it verifies."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, cast

import numpy as np

from verifiable_ml import api
from verifiable_ml.bench.native import gas_of
from verifiable_ml.bench.operators import CASES, program_of
from verifiable_ml.bench.table import Cell, Table
from verifiable_ml.chain import embedded, evidence_arguments
from verifiable_ml.commitment import Privacy
from verifiable_ml.errors import UnsupportedModel
from verifiable_ml.execute import encode_inputs
from verifiable_ml.frontend import zoo
from verifiable_ml.program import Program
from verifiable_ml.proving import batch_backend
from verifiable_ml.proving.base import Progress, silent

PARTS: dict[str, tuple[int, ...]] = {
    "reading the plan": (0x3B, 0x3C),
    "hashing": (0x20,),
    "field operations": (0x08, 0x09),
    "storage and log": (0x54, 0x55, *range(0xA0, 0xA5)),
    "calls": (0xF0, 0xF1, 0xF2, 0xF4, 0xF5, 0xFA),
}
"""Opcodes; what else there is moves words, adds and jumps: `MACHINE`."""
PRECOMPILES: dict[str, tuple[int, ...]] = {"inverses": (5,), "sums and multiples of points": (6, 7), "pairing": (8,)}
MACHINE, TRANSACTION = "stack, memory, jumps", "transaction and calldata"


def gas_by_operator(progress: Progress = silent) -> Table:
    """Gas of a native proof of each operator alone, and what its plan takes to store."""
    rows, chain = list[tuple[Cell, ...]](), embedded()
    backend = batch_backend("sumcheck")
    for place, case in enumerate(CASES):
        progress(f"{case.kind}, {case.way}", place / len(CASES))
        program = program_of(case)
        try:
            keys = backend.setup(program, Privacy(), count=1)
        except UnsupportedModel as refused:
            rows.append((case.kind, case.way, "-", "-", "-", "-", refused.reason))
            continue
        proof = backend.prove_batch(program, [drawn(program)], keys)
        key: Any = keys.verification
        stored, verified = gas_of(proof, key, chain)
        rows.append((case.kind, case.way, len(proof.payload), len(key.registration().plan), stored, verified, ""))
    columns = "operator", "use", "proof, B", "plan, B", "register, gas", "verify, gas", "why not"
    notes = ("A program of this operator alone, on a few elements: most of the gas is what any proof takes.",)
    return Table("gas", "Gas of a native proof, by operator", columns, tuple(rows), notes)


def gas_by_part(progress: Progress = silent) -> Table:
    """Gas of a native proof of each model of the zoo, by what the EVM does with it."""
    names, rows = zoo.names(), list[tuple[Cell, ...]]()
    heads = (TRANSACTION, *PARTS, *PRECOMPILES, MACHINE)
    for place, name in enumerate(names):
        progress(name, place / len(names))
        total, parts = _parts(zoo.model(name))
        rows.append((name, total, *(parts[head] for head in heads)))
    notes = ("Of the transaction that records the claim; each opcode's gas is counted as the embedded EVM charges it.",)
    return Table("gas-parts", "Gas of a native proof, by part", ("model", "gas", *heads), tuple(rows), notes)


def drawn(program: Program) -> dict[str, Any]:
    """Seeded integers within the inputs' intervals."""
    rng = np.random.default_rng(0)
    drawn = ((each.name, each.spec) for each in program.inputs)
    return {
        name: rng.integers(spec.interval.low, spec.interval.high, spec.shape, endpoint=True).astype(spec.dtype.numpy)
        for name, spec in drawn
    }


def _parts(model: zoo.ZooModel) -> tuple[int, Counter[str]]:
    """Gas of the transaction for the first test sample, and of its parts."""
    program = api.compile(model.path, model.calibration())
    keys = api.setup(program)
    backend = batch_backend(keys.verification.backend)
    proof = backend.prove(program, encode_inputs(program, model.test(1)[0][0], saturate=True), keys)
    chain = embedded()
    chain.register(keys.verification.registration())
    (contract,) = chain.claim_verifiers.values()
    arguments = proof.claim.program_id, proof.claim.privacy.code, *evidence_arguments(proof.claim, proof)
    with metered() as parts:
        total = contract.send("record", *arguments).gas_used
    parts[TRANSACTION] = total - sum(parts.values())
    return total, parts


@contextmanager
def metered() -> Iterator[Counter[str]]:
    """Gas by part of all that the embedded EVM executes in between; of a call its own price: what it calls are parts as well."""
    from eth.vm.forks.prague import computation

    gas, evm = Counter[str](), cast("Any", computation.PragueComputation)
    before = evm.opcodes, evm._precompiles
    names = {code: part for part, codes in PARTS.items() for code in codes}
    evm.opcodes = {code: _watched(work, names.get(code, MACHINE), gas) for code, work in before[0].items()}
    prices = {code.to_bytes(20): part for part, codes in PRECOMPILES.items() for code in codes}
    evm._precompiles = {at: _watched(work, prices.get(at, MACHINE), gas) for at, work in before[1].items()}
    try:
        yield gas
    finally:
        evm.opcodes, evm._precompiles = before


def _watched(work: Callable[[Any], Any], part: str, gas: Counter[str]) -> Callable[[Any], Any]:
    def run(computation: Any) -> Any:
        left, counted = computation.get_gas_remaining(), gas.total()
        try:
            return work(computation)
        finally:
            gas[part] += left - computation.get_gas_remaining() - (gas.total() - counted)

    return run
