# SPDX-License-Identifier: MIT OR Apache-2.0
"""What ezkl takes by its own way, from the float model, beside a native proof of the integer program of the same model."""

from __future__ import annotations

import datetime
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from verifiable_ml.bench import float_flow_run
from verifiable_ml.bench.native import MEGABYTE
from verifiable_ml.bench.proving import native_of
from verifiable_ml.bench.table import Cell, Table
from verifiable_ml.errors import WorkerFailed
from verifiable_ml.frontend import zoo
from verifiable_ml.frontend.passes import fix_dimensions
from verifiable_ml.proving.base import Progress, silent
from verifiable_ml.proving.ezkl.process import EZKL_VERSION, require_ezkl

MODELS = "digits-mlp", "lenet5-mnist"
LOGROWS = 17
"""The most that a circuit may have: what LeNet-5 needs with ezkl's default columns."""


def float_flow(progress: Progress = silent) -> Table:
    """Proofs by ezkl's own flow of float models, beside native proofs. Minutes, and 8 GB of memory."""
    require_ezkl()
    rows = list[tuple[Cell, ...]]()
    for place, name in enumerate(MODELS):
        model = zoo.model(name)
        progress(f"{name}, native", place / len(MODELS))
        native = native_of(model)
        progress(f"{name}, ezkl from float", place / len(MODELS))
        found = costs_of(model)
        seconds = found["seconds"]
        peak, ratio = native.peak_bytes / MEGABYTE, f"{seconds['proof'] / native.prove_seconds:,.0f}x"
        rows.append((name, "native", "", native.setup_seconds, native.prove_seconds, peak, native.proof_bytes, ""))
        size, peak = f"{found['rows']:,} (2^{found['logrows']})", found["peak_bytes"] / MEGABYTE
        rows.append((name, "ezkl, float", size, seconds["set-up"], seconds["proof"], peak, found["proof_bytes"], ratio))
    columns = "model", "prover", "rows", "set-up, s", "proof, s", "peak, MB", "proof, B", "ezkl / native, proof"
    today = datetime.datetime.now(datetime.UTC).date()
    notes = (
        f"ezkl {EZKL_VERSION} as its documentation goes: settings, calibration (its default scale, `resources`), circuit, keys, "
        "witness, proof. Input and output public, weights fixed, as in the native proof. Set-up: without its reference string.",
        "Its default multiplies matrices by an argument whose products are not tied to their later use (docs/proofs.md): these "
        "proofs show less than the others.",
        f"Peak: resident memory of a process of its own. Recorded on {today}.",
    )
    return Table("float-flow", "ezkl from a float model", columns, tuple(rows), notes)


def costs_of(model: zoo.ZooModel) -> dict[str, Any]:
    """One run in a process of its own. Raises WorkerFailed."""
    with tempfile.TemporaryDirectory(prefix="vml-bench-") as name:
        folder = Path(name)
        onnx.save(fix_dimensions.apply(onnx.load(model.path), {})[0], folder / "model.onnx")
        sample = np.asarray(model.test(1)[0][0][model.input_name], np.float32)
        (folder / "input.json").write_text(json.dumps({"input_data": [sample.ravel().tolist()]}))
        command = [sys.executable, float_flow_run.__file__, str(folder), str(LOGROWS)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        path = folder / float_flow_run.MEASURED
        if not path.exists():
            raise WorkerFailed(
                thing="ezkl's own flow", reason=f"status {done.returncode}: {done.stderr[-300:]}", hint="free memory"
            )
        found: dict[str, Any] = json.loads(path.read_text())
        if not found["accepted"]:
            raise WorkerFailed(thing="ezkl's own flow", reason="its proof does not verify", hint="report it")
        return found
