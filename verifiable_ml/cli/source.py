# SPDX-License-Identifier: MIT OR Apache-2.0
"""What the words of a command line stand for: models, programs, samples, inputs. `zoo:digits-mlp` is one that ships."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from verifiable_ml import api
from verifiable_ml.commitment import parse_json
from verifiable_ml.errors import InvalidInput
from verifiable_ml.frontend import zoo
from verifiable_ml.frontend.read import read, read_at_most

ZOO = "zoo:"
SUFFIXES = ".npy, .npz or .json"
LARGEST_JSON = 1 << 28
"""Bytes; its values take some ten times as much memory."""
Sample = dict[str, Any]


@dataclass(frozen=True)
class Source:
    """A model that was named: its bytes read, its own samples if it is one of the zoo."""

    name: str
    model: onnx.ModelProto
    zoo: zoo.ZooModel | None = None
    fixed: Mapping[str, Any] = field(default_factory=dict)
    """Inputs that become constants."""

    @property
    def dimensions(self) -> dict[str, tuple[int | None, ...] | None]:
        """Of each input, in order; None where a length, or the whole shape, is open."""
        weights = {tensor.name for tensor in self.model.graph.initializer}
        return {given.name: _dimensions(given) for given in self.model.graph.input if given.name not in (*weights, *self.fixed)}

    def samples(self, text: str | None, default: str = "calibration") -> list[Sample] | None:
        """The rows of a file, or of a zoo model; without a text the model's own, None if it has none."""
        if text is None:
            return None if self.zoo is None else _own(self.zoo, default)
        if text.startswith(ZOO):
            return _own(zoo.model(text.removeprefix(ZOO)), default)
        arrays = _named(Path(text), list(self.dimensions), default)
        return rows(text, arrays, self.dimensions)


def source(text: str, fix: Sequence[str] | None = None) -> Source:
    """`zoo:NAME` or the path of an ONNX file; `fix` has NAME=VALUE an input. Raises InvalidInput, MalformedModel."""
    fixed = dict(map(_setting, fix or ()))
    if text.startswith(ZOO):
        found = zoo.model(text.removeprefix(ZOO))
        return Source(found.name, read(found.path), found, fixed)
    return Source(Path(text).stem, read(text), fixed=fixed)


def _setting(text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    try:
        return name, parse_json(value.encode())
    except ValueError as error:
        reason = f"{value!r} is no number, list or truth value ({error})" if equals else "there is no `=`"
        raise InvalidInput(thing=f"--fix {text}", reason=reason, hint="for example --fix sr=16000") from error


def program(text: str) -> api.Program:
    """A saved program, or a model of the zoo compiled as it ships. Raises MalformedProgram, InvalidInput."""
    if text.startswith(ZOO):
        found = zoo.model(text.removeprefix(ZOO))
        return api.compile(found.path, found.calibration())
    return api.load(text)


def one_input(text: str, names: Sequence[str]) -> Sample:
    """An input by name: a file of arrays with the batch axis, or `digits-mlp:3`, a test row of the zoo. Raises InvalidInput."""
    name, colon, row = text.rpartition(":")
    if colon and name.removeprefix(ZOO) in zoo.names() and row.isdecimal():
        return sample(zoo.model(name.removeprefix(ZOO)), int(row))
    return _named(Path(text), names)


def inputs(text: str, shapes: Mapping[str, tuple[int, ...]]) -> list[Sample]:
    """One input as `one_input` reads it; or, where the arrays have rows of these shapes, all of them. Raises InvalidInput."""
    arrays = {name: np.asarray(array) for name, array in one_input(text, list(shapes)).items()}
    many = arrays.keys() == shapes.keys() and all(_holds_rows(array, shapes[name]) for name, array in arrays.items())
    return rows(text, arrays, shapes) if many else [arrays]


def many_inputs(text: str, shapes: Mapping[str, tuple[int, ...]]) -> list[Sample]:
    """The inputs of a file, stacked along the first axis, one or more; or zoo:NAME, its test rows. Raises InvalidInput."""
    return _own(zoo.model(text.removeprefix(ZOO)), "test") if text.startswith(ZOO) else inputs(text, shapes)


def _holds_rows(array: np.ndarray, shape: tuple[int, ...]) -> bool:
    """[n, *shape], or [n, *rest] of a shape [1, *rest]."""
    stacked = array.shape[1:] == shape or (shape[:1] == (1,) and array.shape[1:] == shape[1:])
    return bool(array.ndim) and array.shape != shape and stacked


def sample(model: zoo.ZooModel, row: int) -> Sample:
    """A test row of a zoo model, counted from 0. Raises InvalidInput beyond the last."""
    inputs, _ = model.test()
    if row >= len(inputs):
        raise InvalidInput(thing=f"{model.name}:{row}", reason=f"there are {len(inputs)} samples", hint=f"0 to {len(inputs) - 1}")
    return inputs[row]


def rows(text: str, arrays: Mapping[str, Any], dimensions: Mapping[str, tuple[int | None, ...] | None]) -> list[Sample]:
    """Stacked arrays as one dict a sample. An array has the model's axes, samples along the first, or one axis more."""
    counts, parts = set(), {}
    for name, array in arrays.items():
        parts[name] = _rows(np.asarray(array), dimensions.get(name))
        counts.add(len(parts[name]))
    if len(counts) != 1 or not min(counts):
        raise InvalidInput(
            thing=f"`{text}`", reason=f"its arrays hold {sorted(counts)} samples", hint="as many of each, and one at least"
        )
    return [{name: part[place] for name, part in parts.items()} for place in range(min(counts))]


def _rows(array: np.ndarray, wanted: tuple[int | None, ...] | None) -> list[np.ndarray]:
    if wanted is not None and array.ndim == len(wanted) + 1:
        return list(array)
    if array.ndim == 0 or (wanted and array.ndim == len(wanted) and wanted[0] not in (None, 1)):
        return [array]
    return [array[place : place + 1] for place in range(len(array))]


def _own(model: zoo.ZooModel, which: str) -> list[Sample]:
    return model.calibration() if which == "calibration" else model.test()[0]


def _dimensions(given: onnx.ValueInfoProto) -> tuple[int | None, ...] | None:
    kind = given.type.tensor_type
    if not kind.HasField("shape"):
        return None
    return tuple(axis.dim_value if axis.HasField("dim_value") and axis.dim_value >= 0 else None for axis in kind.shape.dim)


def _named(path: Path, names: Sequence[str], alias: str = "") -> Sample:
    """Arrays by input name. A lone array belongs to the lone input; `alias` is what the zoo's own files call it."""
    arrays = _arrays(path)
    if len(names) == 1 and names[0] not in arrays:
        lone = arrays.get(alias, next(iter(arrays.values()))) if len(arrays) == 1 or alias in arrays else None
        if lone is not None:
            return {names[0]: lone}
    return arrays


def _arrays(path: Path) -> dict[str, np.ndarray]:
    try:
        if path.suffix == ".npy":
            return {"": np.load(path, allow_pickle=False)}
        if path.suffix == ".npz":
            with np.load(path, allow_pickle=False) as file:
                return {name: file[name] for name in file.files}
        if path.suffix == ".json":
            value = parse_json(read_at_most(path, LARGEST_JSON))  # a longer one is cut, and so no JSON
            return {name: np.asarray(part) for name, part in (value if isinstance(value, dict) else {"": value}).items()}
    except OSError as error:
        raise _unreadable(path, error.strerror or str(error)) from error
    except (ValueError, EOFError, KeyError, RecursionError, zipfile.BadZipFile) as error:
        raise _unreadable(path, f"it is no {path.suffix} of plain numbers ({error})") from error
    raise _unreadable(path, "it is no file of arrays" if path.exists() else "there is no such file, nor such a sample in the zoo")


def _unreadable(path: Path, reason: str) -> InvalidInput:
    hint = f"give a {SUFFIXES} file with an array an input, or a sample of the zoo such as digits-mlp:3"
    return InvalidInput(thing=f"`{path}`", reason=reason, hint=hint)
