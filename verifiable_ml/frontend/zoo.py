# SPDX-License-Identifier: MIT OR Apache-2.0
"""The models that ship: names, files, samples and labels, from a checkout or from an installed wheel.

In: a name. Out: a ZooModel. Knows nothing of training; the whole of a large test split is fetched by models/datasets.py.
"""

from __future__ import annotations

import importlib.resources
import importlib.util
import json
import subprocess
import sys
import zipfile
import zlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from verifiable_ml.errors import BackendUnavailable, CorruptedArtifact, InvalidInput


@dataclass(frozen=True)
class Samples:
    """Raw integers as people have them and class numbers. calibration [n, ...], test [m, ...], labels [n] and [m]."""

    calibration: np.ndarray
    calibration_labels: np.ndarray
    test: np.ndarray
    test_labels: np.ndarray


@dataclass(frozen=True)
class ZooModel:
    """One folder of models/. `low` and `high` bound the whole numbers that the input takes; shapes leave out the batch."""

    name: str
    title: str
    dataset: str
    task: str
    licence: str
    classes: tuple[str, ...]
    input_name: str
    input_shape: tuple[int, ...]
    low: int
    high: int
    parameters: int
    float_accuracy: float
    test_rows: int
    samples_test_rows: int
    folder: Path

    @property
    def path(self) -> Path:
        """The model itself."""
        return self.folder / "model.onnx"

    @cached_property
    def samples(self) -> Samples:
        """The arrays of samples.npz, read once. Raises CorruptedArtifact."""
        try:
            with np.load(self.folder / "samples.npz", allow_pickle=False) as file:
                return Samples(**{key: file[key] for key in ("calibration", "calibration_labels", "test", "test_labels")})
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as error:
            raise CorruptedArtifact(
                thing=f"samples of {self.name}", reason=str(error), hint="restore models/ or reinstall the package"
            ) from error

    def calibration(self, rows: int | None = None) -> list[dict[str, np.ndarray]]:
        """Inputs as `compile` takes them: one dict a row, float32 [1, ...]."""
        return self.inputs(self.samples.calibration[:rows])

    def test(self, rows: int | None = None) -> tuple[list[dict[str, np.ndarray]], np.ndarray]:
        """Held-out inputs, one dict a row, and their class numbers [m]."""
        return self.inputs(self.samples.test[:rows]), self.samples.test_labels[:rows].astype(np.int64)

    def inputs(self, rows: np.ndarray) -> list[dict[str, np.ndarray]]:
        """Raw rows [n, ...] as inputs of the model, one dict a row."""
        return [{self.input_name: row[None].astype(np.float32)} for row in rows]

    def whole_test_split(self) -> tuple[np.ndarray, np.ndarray]:
        """Every test row, raw [n, ...], and its class number [n]. Fetches the data set if samples.npz holds only a part.

        Raises BackendUnavailable where it cannot be had.
        """
        if self.samples_test_rows == self.test_rows:
            return self.samples.test, self.samples.test_labels.astype(np.int64)
        try:
            split = _datasets(self.folder.parent).DATASETS[self.dataset]()
        except (OSError, ImportError, subprocess.CalledProcessError) as error:
            raise BackendUnavailable(
                thing=f"data set {self.dataset}",
                reason=str(error),
                hint="npm, pip and scikit-learn must be there, and reach a registry",
            ) from error
        return split.test_x.reshape(-1, *self.input_shape), split.test_y


def names() -> tuple[str, ...]:
    """Every model of the zoo, by name."""
    return tuple(sorted(path.parent.name for path in _root().glob("*/model.json")))


def model(name: str) -> ZooModel:
    """The model of that name. Raises InvalidInput for an unknown name."""
    if name not in names():
        raise InvalidInput(thing=f"zoo model {name!r}", reason="there is none of that name", hint=f"one of: {', '.join(names())}")
    folder = _root() / name
    record = json.loads((folder / "model.json").read_text())
    entry = record.pop("input")
    record["classes"] = tuple(record["classes"])
    return ZooModel(
        **record, input_name=entry["name"], input_shape=tuple(entry["shape"]), low=entry["low"], high=entry["high"], folder=folder
    )


def _root() -> Path:
    package = Path(str(importlib.resources.files("verifiable_ml")))
    shipped = package / "_data" / "models"
    return shipped if shipped.is_dir() else package.parent / "models"


def _datasets(root: Path) -> Any:
    """The module models/datasets.py, which is no part of the package."""
    path = root / "datasets.py"
    spec = importlib.util.spec_from_file_location("verifiable_ml_zoo_datasets", path)
    if spec is None or spec.loader is None or not path.exists():
        raise BackendUnavailable(thing=str(path), reason="is not there", hint="reinstall the package, or restore models/")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module
