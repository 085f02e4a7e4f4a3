# SPDX-License-Identifier: MIT OR Apache-2.0
"""Every family of scikit-learn's models, through skl2onnx on the datasets that come with it: do integers decide as floats do?"""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
import onnx

from verifiable_ml import api
from verifiable_ml.bench.table import Cell, Table
from verifiable_ml.errors import BackendUnavailable
from verifiable_ml.execute.onnxruntime import session
from verifiable_ml.proving.base import Progress, silent
from verifiable_ml.quantize.spec import QuantSpec

CALIBRATION = 120
"""Rows at most, every other one of a dataset; the others judge."""


@dataclass(frozen=True)
class Found:
    """Of a family, on rows that have not calibrated. same: share of equal decisions, None for a regression. error: the greatest,
    of the output's spread. seconds: of compile.
    """

    same: float | None
    error: float
    rows: int
    seconds: float


def classical(progress: Progress = silent) -> Table:
    """Decisions and errors of scikit-learn's families as integer programs, on rows that they have not been calibrated on."""
    try:
        from verifiable_ml.bench.families import FAMILIES, exported
    except ImportError as error:
        raise BackendUnavailable(
            thing="models of scikit-learn", reason=str(error), hint="pip install 'verifiable-ml[sklearn]'"
        ) from error
    rows: list[tuple[Cell, ...]] = []
    for number, (name, (_, dataset)) in enumerate(FAMILIES.items()):
        progress(name, number / len(FAMILIES))
        found = measured(*exported(name))
        same = "-" if found.same is None else f"{found.same:.2%}"
        rows.append((name, dataset, found.rows, same, f"{found.error:.1e}", f"{found.seconds:.1f}"))
    columns = ("family", "dataset", "rows", "same decisions", "greatest error", "compile, s")
    notes = (
        "Same decisions: of all rows, not of the clear ones only; `-` for a regression.",
        "Greatest error: of the scores or the regression, over their spread. rounded, few, names: iris, changed.",
    )
    return Table("classical", "Models of scikit-learn", columns, tuple(rows), notes)


def measured(model: onnx.ModelProto, rows: np.ndarray) -> Found:
    """A model, calibrated on every other row and judged on the rest."""
    start = time.perf_counter()
    program = api.compile(model, [row[None] for row in rows[::2][:CALIBRATION]], spec=QuantSpec())
    seconds = time.perf_counter() - start
    reference, given = session(model.SerializeToString(), threads=1), model.graph.input[0].name
    unseen = rows[1::2]
    wanted = [reference.run(None, {given: row[None]}) for row in unseen]
    found = [program.predict(row[None], saturate=True) for row in unseen]
    columns = [
        (np.array([_array(row[at]) for row in wanted]), np.array([row[at] for row in found])) for at in range(len(wanted[0]))
    ]
    decided = [decisions(a) == b.astype(np.int64) for a, b in columns if a.dtype.kind != "f"]
    errors = [float(np.abs(a - b).max()) / max(float(np.ptp(a)), 1e-12) for a, b in columns if a.dtype.kind == "f"]
    return Found(float(np.mean(decided[0])) if decided else None, max(errors, default=0.0), len(unseen), seconds)


def _array(answer: np.ndarray | list[dict[str, float]]) -> np.ndarray:
    """A ZipMap's answer without its names."""
    return np.array([[*row.values()] for row in answer]) if isinstance(answer, list) else answer


def decisions(answers: np.ndarray) -> np.ndarray:
    """Labels as whole numbers: texts by their place in the alphabet."""
    return answers if answers.dtype.kind in "iub" else np.unique(answers, return_inverse=True)[1].reshape(answers.shape)
