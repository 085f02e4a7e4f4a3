# SPDX-License-Identifier: MIT OR Apache-2.0
"""What native proofs take: networks of known sizes, and how time grows with weights and with activations."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from verifiable_ml import api
from verifiable_ml.bench import native_run
from verifiable_ml.bench.execute import median
from verifiable_ml.bench.plot import Line, Picture, plot
from verifiable_ml.bench.table import Cell, Table
from verifiable_ml.chain import BatchReceipt, Chain, Receipt, embedded
from verifiable_ml.commitment.codec import IntArray
from verifiable_ml.errors import BackendUnavailable, ChainError, WorkerFailed
from verifiable_ml.execute.onnxruntime import OnnxView
from verifiable_ml.program import Program
from verifiable_ml.proving import BatchProof, Proof, batch_backend, read_key
from verifiable_ml.proving.base import Progress, silent
from verifiable_ml.proving.sumcheck import SumcheckKey

MEGABYTE = 1e6
INFERENCES = 20
Inputs = dict[str, IntArray]


@dataclass(frozen=True)
class NativeCosts:
    """One proof of `count` inputs. values: committed, in rows of 2^row_bits. Seconds; bytes; gas of the transactions. run: of one
    input in onnxruntime, one thread.

    idle: resident bytes of the process before the work, part of the peak.
    """

    count: int
    values: int
    row_bits: int
    setup_seconds: float
    prove_seconds: float
    verify_seconds: float
    run_seconds: float
    idle_bytes: int
    peak_bytes: int
    key_bytes: int
    proof_bytes: int
    register_gas: int
    verify_gas: int

    @property
    def ratio(self) -> float:
        """Proof to inference."""
        return self.prove_seconds / (self.count * self.run_seconds)


def native(progress: Progress = silent) -> Table:
    """Native proofs of seeded networks of known sizes: time, memory, bytes, gas, beside inference in integers."""
    networks = seeded_networks().NETWORKS
    rows = list[tuple[Cell, ...]]()
    for place, network in enumerate(networks):
        progress(network.name, place / len(networks))
        program, inputs = network.compiled()
        rows.append((network.name, program.parameters, len(inputs), *_cells(native_costs(program, inputs))))
    columns = (
        "network", "parameters", "inputs", "set-up, s", "proof, s", "peak, MB", "proof, B", "off chain, ms", "verify, gas",
        "proof / inference",
    )  # fmt: skip
    notes = (
        "Weights seeded, 8 bits; the quickest of a few proofs. Peak: resident memory of a process of its own, Python and its "
        "libraries, some 200 MB, included.",
        "Inference: the same program in onnxruntime, one thread; of a batch, as many runs. Gas of a batch: of one "
        "transaction that records all of its claims.",
    )
    return Table("native", "Native proofs of networks", columns, tuple(rows), notes)


def _cells(found: NativeCosts) -> tuple[Cell, ...]:
    return (
        found.setup_seconds, found.prove_seconds, found.peak_bytes / MEGABYTE, found.proof_bytes, found.verify_seconds * 1e3,
        found.verify_gas or "-", f"{found.ratio:,.0f}x",
    )  # fmt: skip


def scaling(progress: Progress = silent) -> Table:
    """How the time of a native proof grows as weights double, and as activations double; with a picture."""
    series = {"weights": seeded_networks().WIDER, "activations": seeded_networks().LARGER}
    rows, lines = list[tuple[Cell, ...]](), []
    for number, (what, networks) in enumerate(series.items()):
        points = []
        for place, network in enumerate(networks):
            progress(network.name, (number + place / len(networks)) / len(series))
            program, inputs = network.compiled()
            found = native_costs(program, inputs, gas=False)
            size = program.parameters if what == "weights" else sum(each.output.size for each in program.operators)
            rows.append((what, network.name, size, found.setup_seconds, found.prove_seconds, found.peak_bytes / MEGABYTE))
            points.append((float(size), found.prove_seconds))
        lines.append(Line(what, tuple(points)))
    columns = "doubled", "network", "of them", "set-up, s", "proof, s", "peak, MB"
    notes = (
        "Of them: weights, or elements of all operators' outputs. A line of slope one is proportional growth.",
        "All sizes are powers of two: others are padded to the next one, axis by axis, and cost what that costs.",
    )
    caption = "Seconds of a native proof as weights and activations double"
    picture = Picture("scaling.svg", plot(lines, "how many", "seconds"), caption)
    return Table("scaling", "How native proofs grow", columns, tuple(rows), notes, picture=picture)


def native_costs(program: Program, inputs: Sequence[Inputs], gas: bool = True) -> NativeCosts:
    """Measured here and now, the proof in a process of its own. Raises WorkerFailed with what that one raised."""
    with tempfile.TemporaryDirectory(prefix="vml-bench-") as name:
        folder = Path(name)
        api.Program.of(program).save(folder / native_run.PROGRAM)
        np.savez(folder / native_run.INPUTS, **{each: np.stack([given[each] for given in inputs]) for each in inputs[0]})  # type: ignore[arg-type]
        found = _child(folder)
        key = read_key((folder / native_run.KEY).read_bytes())
        proof = BatchProof.from_bytes((folder / native_run.PROOF).read_bytes())
    assert isinstance(key, SumcheckKey)
    if not found.pop("accepted"):
        raise WorkerFailed(thing="a native proof", reason="it does not verify", hint="a fault of ours: report it")
    view = OnnxView(program)
    view.outputs(inputs[0])
    registered, verified = gas_of(proof, key) if gas else (0, 0)
    expected = batch_backend(key.backend).estimate(program, key.privacy, len(inputs))
    return NativeCosts(
        count=len(inputs),
        values=expected.rows,
        row_bits=expected.logrows,
        run_seconds=median(lambda: view.outputs(inputs[0]), INFERENCES),
        key_bytes=len(key.to_bytes()),
        proof_bytes=len(proof.payload),
        register_gas=registered,
        verify_gas=verified,
        **found,
    )


def _child(folder: Path) -> dict[str, Any]:
    done = subprocess.run([sys.executable, "-m", native_run.__name__, str(folder)], capture_output=True, text=True, check=False)
    path = folder / native_run.MEASURED
    if not path.exists():
        raise WorkerFailed(thing="a native proof", reason=f"status {done.returncode}: {done.stderr[-300:]}", hint="run it again")
    found: dict[str, Any] = json.loads(path.read_text())
    if "error" in found:
        raise WorkerFailed(thing=found["thing"], reason=f"{found['error']}: {found['reason']}", hint=found["hint"])
    return found


def gas_of(proof: BatchProof, key: SumcheckKey, chain: Chain | None = None) -> tuple[int, int]:
    """Gas to register the key, without the verifiers' own deployment, and to record the claims; zeros where no block holds it."""
    chain = chain or embedded()
    try:
        gas = chain.register(key.registration()).gas
        receipt = recorded(proof, key, chain)
    except ChainError:
        return 0, 0
    if not receipt.accepted:
        raise ChainError(thing="a native proof", reason=receipt.reason, hint="a fault of ours: report it")
    return gas["plan"] + gas["register"], receipt.gas_used


def recorded(proof: BatchProof, key: SumcheckKey, chain: Chain) -> Receipt | BatchReceipt:
    """One claim goes to the contract for one."""
    if key.count > 1:
        return chain.verify_batch(proof, proof.claims, key)
    (claim,), (given,) = proof.claims, proof.public_inputs
    return chain.verify(Proof(proof.backend, claim, proof.payload, given), claim, key)


def seeded_networks() -> Any:
    """The module `networks`. Raises BackendUnavailable without torch and sklearn."""
    try:
        from verifiable_ml.bench import networks
    except ImportError as error:
        hint = "pip install 'verifiable-ml[torch,sklearn]'"
        raise BackendUnavailable(thing="seeded networks", reason=str(error), hint=hint) from error
    return networks
