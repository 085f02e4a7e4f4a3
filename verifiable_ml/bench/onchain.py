# SPDX-License-Identifier: MIT OR Apache-2.0
"""What it costs that the chain runs a program itself: weights in contract code, and every step of the game in turn."""

from __future__ import annotations

import numpy as np

from verifiable_ml import api
from verifiable_ml.bench.table import Cell, Table
from verifiable_ml.chain import Contract, embedded
from verifiable_ml.commitment import Dtype, encode_tensor
from verifiable_ml.dispute.deployment import STEP_NAMES, STEPS
from verifiable_ml.errors import ChainError
from verifiable_ml.execute import encode_inputs, public_claim, recorder
from verifiable_ml.frontend import zoo
from verifiable_ml.program import Program, identity
from verifiable_ml.proving.base import Progress, silent

MODELS = "digits-mlp", "credit-default", "digits-cnn"
MOST_GAS = 25_000_000
"""Of one transaction: less than a block takes."""


def onchain(progress: Progress = silent) -> Table:
    """What it costs that the chain runs a whole program itself: once to store it, then each run."""
    rows = list[tuple[Cell, ...]]()
    for place, name in enumerate(MODELS):
        progress(name, place / len(MODELS))
        entry = zoo.model(name)
        program = api.compile(entry.path, entry.calibration())
        trace = recorder(program)(encode_inputs(program, entry.test(1)[0][0]))
        chain = embedded()
        contract = chain.deploy(
            "OnChainExecution", chain.deploy(STEPS, [chain.deploy(step).address for step in STEP_NAMES]).address
        )
        stored = _store(contract, program)
        given = [encode_tensor(tensor) for tensor in trace.inputs]
        claim, outputs = contract.call("run", program.id, given, gas=MOST_GAS)
        if claim != public_claim(trace).id or list(outputs) != [encode_tensor(tensor) for tensor in trace.outputs]:
            raise ChainError(thing="a run on chain", reason="it gave another answer", hint="a fault of ours: report it")
        ran = contract.send("run", program.id, given, gas=MOST_GAS)
        weights = sum(constant.size for constant in program.constants)
        rows.append((name, weights, len(program.operators), stored, ran.gas_used))
    columns = "model", "weights", "operators", "gas, stored once", "gas, a run"
    return Table("onchain", "Programs that the chain runs itself", columns, tuple(rows), ("Whole transactions, an input each.",))


def _store(contract: Contract, program: Program) -> int:
    """Constants, records and descriptors; the gas of all transactions."""
    parts = [(Dtype.of(values), encode_tensor(values)) for values in program.constants]
    records = [table for table in map(identity.records, program.operators) if table is not None]
    parts += [(Dtype.I64, encode_tensor(np.ascontiguousarray(table, "<i8"))) for table in records]
    gas = sum(contract.send("store", int(dtype), data, gas=MOST_GAS).gas_used for dtype, data in parts)
    descriptors = [identity.descriptor(program, operator) for operator in program.operators]
    return gas + contract.send("register", program.salt, identity.header(program), descriptors, gas=MOST_GAS).gas_used
