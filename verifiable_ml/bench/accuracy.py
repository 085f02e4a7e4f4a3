# SPDX-License-Identifier: MIT OR Apache-2.0
"""What integers lose: each model of the zoo on its whole test split, in float and at each width."""

from __future__ import annotations

from dataclasses import dataclass
from typing import get_args

import numpy as np

from verifiable_ml import api
from verifiable_ml.bench.table import Cell, Table
from verifiable_ml.execute.onnxruntime import session
from verifiable_ml.frontend import zoo
from verifiable_ml.proving.base import Progress, silent
from verifiable_ml.quantize import QuantSpec
from verifiable_ml.quantize.spec import Width

BATCH = 500


@dataclass(frozen=True)
class Accuracy:
    """Shares of a whole test split. same: decisions that float and integers share."""

    rows: int
    real: float
    integer: float
    same: float


def accuracy(progress: Progress = silent) -> Table:
    """Accuracy in float and as integers, for each model of the zoo on its whole test split."""
    rows: list[tuple[Cell, ...]] = []
    names = zoo.names()
    for place, name in enumerate(names):
        model = zoo.model(name)
        for width in get_args(Width):
            progress(f"{name}, {width} bits", place / len(names))
            found = accuracy_of(model, QuantSpec(width=width))
            lost = (found.real - found.integer) * 100
            rows.append((name, width, found.rows, _share(found.real), _share(found.integer), f"{lost:+.2f}", _share(found.same)))
    columns = ("model", "width", "test rows", "float", "integers", "points lost", "same decision")
    return Table(
        "accuracy", "Accuracy in float and as integers", columns, tuple(rows), ("Whole test splits, no sample left out.",)
    )


def accuracy_of(model: zoo.ZooModel, spec: QuantSpec | None = None) -> Accuracy:
    """Every test row through onnxruntime in float and through the program. Raises BackendUnavailable without the data."""
    program = api.compile(model.path, model.calibration(), spec=spec, threshold=-1.0)
    inputs, labels = model.whole_test_split()
    real = float_decisions(model, inputs)
    logits = program.predict_batch(model.inputs(inputs), saturate=True)[0]
    integer = logits.reshape(len(labels), -1).argmax(axis=1)
    right = float(np.mean(real == labels)), float(np.mean(integer == labels))
    return Accuracy(len(labels), *right, float(np.mean(real == integer)))


def float_decisions(model: zoo.ZooModel, inputs: np.ndarray) -> np.ndarray:
    """Classes [n] that the float model gives raw inputs [n, ...]."""
    reference = session(model.path.read_bytes(), threads=1)
    parts = np.array_split(inputs.astype(np.float32), -(-len(inputs) // BATCH))
    return np.concatenate([reference.run(None, {model.input_name: part})[0].argmax(axis=1) for part in parts])


def _share(value: float) -> str:
    return f"{value:.2%}"
