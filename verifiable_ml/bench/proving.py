# SPDX-License-Identifier: MIT OR Apache-2.0
"""What a proof costs: keys, time, memory, bytes and gas, for each model of the zoo, by ezkl and by the native prover in one run.

ezkl's keys are made anew in a cache of this run's own, the reference string apart, since one serves every circuit of its size.
"""

from __future__ import annotations

import os
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import psutil

from verifiable_ml import api, chain
from verifiable_ml.bench.execute import median
from verifiable_ml.bench.native import INFERENCES, MEGABYTE, NativeCosts, native_costs
from verifiable_ml.bench.table import Cell, Table
from verifiable_ml.errors import UnsupportedModel
from verifiable_ml.execute import encode_inputs
from verifiable_ml.execute.onnxruntime import OnnxView
from verifiable_ml.frontend import zoo
from verifiable_ml.proving.base import Progress, silent
from verifiable_ml.proving.ezkl import cache

STRING = "reference string"
"""What its step of a set-up has in its name."""


@dataclass(frozen=True)
class Costs:
    """One proof of one input. Seconds; bytes; gas of the three transactions; peak: resident bytes of the worker processes."""

    rows: int
    logrows: int
    string_seconds: float
    setup_seconds: float
    prove_seconds: float
    verify_seconds: float
    run_seconds: float
    peak_bytes: int
    key_bytes: int
    proof_bytes: int
    deploy_gas: int
    register_gas: int
    verify_gas: int


def proving(progress: Progress = silent) -> Table:
    """Proofs by ezkl and by the native prover: time, memory, bytes and gas, for each model of the zoo, and the ratio."""
    columns = (
        "model", "prover", "rows", "reference string, s", "set-up, s", "proof, s", "peak, MB", "key, MB", "proof, B",
        "off chain, ms", "register, gas", "verify, gas", "proof / inference", "ezkl / native, proof",
    )  # fmt: skip
    rows = list[tuple[Cell, ...]]()
    names = zoo.names()
    for place, name in enumerate(names):
        model = zoo.model(name)
        progress(f"{name}, native", place / len(names))
        native = native_of(model)
        rows.append((name, "native", *_native_cells(native), ""))
        for hide in ((), ("input",)):
            progress(f"{name}, ezkl, {', '.join(hide) or 'nothing'} hidden", place / len(names))
            found = costs_of(model, hide)
            if found is not None:
                ratio = f"{found.prove_seconds / native.prove_seconds:,.0f}x"
                rows.append((name, "ezkl, input hidden" if hide else "ezkl", *_cells(found), ratio))
    notes = (
        "One proof of one test sample. Set-up: of ezkl without its reference string; of the native prover with its own.",
        "Peak: the greatest of set-up and proof, resident memory of a process of its own: ezkl's worker, or, with Python and its "
        "libraries, some 150 MB, the native prover's. Rows of a native proof: committed values, and the bits of a row's length.",
        "Gas under Prague rules on the embedded EVM, the transaction's 21,000 included; one deployment of the contracts "
        "serves every program. Registering a native key stores its plan.",
        "Proof / inference: the same program in onnxruntime, one thread, in the same run.",
    )
    return Table("prove", "Proofs by ezkl and by the native prover", columns, tuple(rows), notes)


def _cells(found: Costs) -> tuple[Cell, ...]:
    return (
        f"{found.rows:,} (2^{found.logrows})", found.string_seconds, found.setup_seconds, found.prove_seconds,
        found.peak_bytes / MEGABYTE, found.key_bytes / MEGABYTE, found.proof_bytes, found.verify_seconds * 1e3,
        found.register_gas, found.verify_gas, f"{found.prove_seconds / found.run_seconds:,.0f}x",
    )  # fmt: skip


def _native_cells(found: NativeCosts) -> tuple[Cell, ...]:
    return (
        f"{found.values:,} (2^{found.row_bits})", "", found.setup_seconds, found.prove_seconds, found.peak_bytes / MEGABYTE,
        found.key_bytes / MEGABYTE, found.proof_bytes, found.verify_seconds * 1e3, found.register_gas, found.verify_gas,
        f"{found.ratio:,.0f}x",
    )  # fmt: skip


def native_of(model: zoo.ZooModel) -> NativeCosts:
    """A native proof of the first test sample."""
    program = api.compile(model.path, model.calibration())
    return native_costs(program, [encode_inputs(program, model.test(1)[0][0], saturate=True)])


def costs_of(model: zoo.ZooModel, hide: tuple[str, ...] = ()) -> Costs | None:
    """Measured here and now; None for a model that ezkl cannot prove exactly."""
    program = api.compile(model.path, model.calibration())
    try:
        circuit = api.estimate(program, "ezkl", hide)
    except UnsupportedModel:
        return None
    x, watch = model.test(1)[0][0], Watch()
    with own_cache():
        with watch:
            keys = api.setup(program, "ezkl", hide, progress=watch.step)
        made = watch.seconds
        with watch:
            proof = api.prove(program, x, keys, saturate=True, progress=watch.step)
        proved = watch.seconds - made
        verified = _seconds(lambda: api.verify(proof, proof.claim, keys.verification))
        key_bytes = (keys.proving / "pk").stat().st_size if keys.proving else 0
        evm = chain.embedded()
        registered = evm.register(keys.verification.registration())
        receipt = evm.verify(proof, proof.claim, keys.verification)
    view, integers = OnnxView(program), encode_inputs(program, x, saturate=True)
    view.outputs(integers)
    return Costs(
        rows=circuit.rows,
        logrows=circuit.logrows,
        string_seconds=watch.string_seconds,
        setup_seconds=made - watch.string_seconds,
        prove_seconds=proved,
        verify_seconds=verified,
        run_seconds=median(lambda: view.outputs(integers), INFERENCES),
        peak_bytes=watch.peak,
        key_bytes=key_bytes,
        proof_bytes=len(proof.payload),
        deploy_gas=sum(registered.gas.values()) - registered.gas["register"],
        register_gas=registered.gas["register"],
        verify_gas=receipt.gas_used,
    )


@contextmanager
def own_cache() -> Iterator[None]:
    """An empty cache on the same file system, gone at the end: what is measured was not there before."""
    before = os.environ.get("VML_CACHE_DIR")
    cache.root().mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="bench-", dir=cache.root()) as folder:
        os.environ["VML_CACHE_DIR"] = folder
        try:
            yield
        finally:
            os.environ.pop("VML_CACHE_DIR")
            if before is not None:
                os.environ["VML_CACHE_DIR"] = before


@dataclass
class Watch:
    """A stopwatch that also looks at the memory of the processes below this one, fifty times a second, and at the steps."""

    seconds: float = 0.0
    string_seconds: float = 0.0
    peak: int = 0
    _text: str = ""
    _at: float = 0.0
    _started: float = 0.0
    _done: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def step(self, text: str, share: float | None = None) -> None:
        """A Progress: time since the last call belongs to the step that was under way."""
        now = time.monotonic()
        if STRING in self._text:
            self.string_seconds += now - self._at
        self._text, self._at = text, now

    def __enter__(self) -> None:
        """Start."""
        self._done.clear()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._started, self._text = time.monotonic(), ""
        self._thread.start()

    def __exit__(self, *_: object) -> None:
        """Stop."""
        self.seconds += time.monotonic() - self._started
        self._done.set()

    def _look(self) -> None:
        while not self._done.wait(0.02):
            self.peak = max(self.peak, sum(map(_resident, psutil.Process().children(recursive=True))))


def _resident(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.Error:
        return 0


def _seconds(run: Callable[[], Any]) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start
