# SPDX-License-Identifier: MIT OR Apache-2.0
"""How real numbers enter and leave a program. Part of the program's id, outside of what is proven: a public convention."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from verifiable_ml.commitment import keccak
from verifiable_ml.commitment.codec import IntArray
from verifiable_ml.errors import InvalidInput
from verifiable_ml.program.tensor import Interval, Shape, TensorSpec

FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Linear:
    """real = (integer - zero) * scale; one pair for the tensor, or one for each entry of its last axis."""

    scale: tuple[float, ...]
    zero: tuple[int, ...]

    def __post_init__(self) -> None:
        finite = all(np.isfinite(s) and s > 0 for s in self.scale) and all(-(1 << 63) <= z < 1 << 63 for z in self.zero)
        if not finite or len(self.scale) != len(self.zero) or not self.scale:
            raise ValueError("a linear encoding has as many finite positive scales as zero points of 64 bits")

    def fits(self, shape: Shape) -> bool:
        """Whether it has one pair, or as many as the last axis has entries."""
        return len(self.scale) in (1, shape[-1] if shape else 1)

    def encode(self, real: FloatArray) -> FloatArray:
        """Rounded half to even, not yet bounded."""
        steps: FloatArray = np.rint(real / np.array(self.scale)) + np.array(self.zero)
        return steps.reshape(np.shape(real))

    def decode(self, integers: IntArray) -> FloatArray:
        """float64, the shape of `integers`."""
        real: FloatArray = (integers.astype(np.float64) - np.array(self.zero)) * np.array(self.scale)
        return real.reshape(integers.shape)  # a number has no axis, and one pair of them has

    @property
    def canonical(self) -> bytes:
        """01 || count u32 || (scale f64, zero i64)…, big endian."""
        pairs = (struct.pack(">dq", *pair) for pair in zip(self.scale, self.zero, strict=True))
        return b"\x01" + struct.pack(">I", len(self.scale)) + b"".join(pairs)

    def to_json(self) -> dict[str, Any]:
        """For the manifest."""
        return {"kind": "linear", "scale": list(self.scale), "zero": list(self.zero)}


@dataclass(frozen=True, slots=True)
class Tokens:
    """Integers that are integers already: token ids, categories, labels, booleans."""

    def fits(self, shape: Shape) -> bool:
        """Always."""
        return True

    def encode(self, real: FloatArray) -> FloatArray:
        """The same numbers; what is no integer is refused by `encode`."""
        if (real != np.rint(real)).any():
            raise ValueError("it holds numbers that are no integers")
        return real

    def decode(self, integers: IntArray) -> FloatArray:
        """float64 of the same value."""
        return integers.astype(np.float64)

    @property
    def canonical(self) -> bytes:
        """02."""
        return b"\x02"

    def to_json(self) -> dict[str, Any]:
        """For the manifest."""
        return {"kind": "tokens"}


@dataclass(frozen=True, slots=True)
class Ranks:
    """How many of its feature's thresholds lie below a number, as float32 compares: one row of thresholds an entry of the last
    axis.

    x <= threshold j (from 0) exactly if the rank is at most j: every split of a tree is exact.
    """

    thresholds: tuple[tuple[float, ...], ...]

    def __post_init__(self) -> None:
        rows = [np.array(row, dtype=np.float64) for row in self.thresholds]
        exact = all(np.isfinite(row).all() and (row == row.astype(np.float32)).all() for row in rows)
        if not rows or not exact or not all((np.diff(row) > 0).all() for row in rows):
            raise ValueError("ranks are taken among rising finite thresholds of float32, one row a feature")

    def fits(self, shape: Shape) -> bool:
        """Whether there is a row for each entry of the last axis."""
        return bool(shape) and len(self.thresholds) == shape[-1]

    @property
    def interval(self) -> Interval:
        """Of every rank."""
        return Interval(0, max(map(len, self.thresholds)))

    def encode(self, real: FloatArray) -> FloatArray:
        """The ranks, as float64. Beyond float32 is above, or below, every threshold."""
        with np.errstate(over="ignore"):
            single = real.astype(np.float32)
        ranks = np.empty(real.shape, np.float64)
        for place, row in enumerate(self.thresholds):
            ranks[..., place] = np.searchsorted(np.array(row, np.float32), single[..., place], side="left")
        return ranks

    def decode(self, integers: IntArray) -> FloatArray:
        """The greatest number of each rank; above the last threshold the next after it."""
        real = np.empty(integers.shape, np.float64)
        for place, row in enumerate(self.thresholds):
            ends = np.array([*row, np.nextafter(np.float32(row[-1]), np.float32(np.inf)) if row else 0.0])
            real[..., place] = ends[np.clip(integers[..., place], 0, len(row))]
        return real

    @property
    def canonical(self) -> bytes:
        """03 || rows u32 || (count u32 || thresholds f32…)…, big endian; zero is written without a sign."""
        rows = (struct.pack(f">I{len(row)}f", len(row), *(t + 0.0 for t in row)) for row in self.thresholds)
        return b"\x03" + struct.pack(">I", len(self.thresholds)) + b"".join(rows)

    def to_json(self) -> dict[str, Any]:
        """For the manifest."""
        return {"kind": "ranks", "thresholds": [[t + 0.0 for t in row] for row in self.thresholds]}


Encoding = Linear | Tokens | Ranks


def encoding_root(encoding: Encoding) -> bytes:
    """H(22 || canonical bytes)."""
    return keccak(b"\x22" + encoding.canonical)


def encoding_from_json(value: dict[str, Any]) -> Encoding:
    """The inverse of `to_json`. Raises KeyError, TypeError or ValueError on anything else."""
    if value["kind"] == "linear":
        return Linear(tuple(float(s) for s in value["scale"]), tuple(int(z) for z in value["zero"]))
    if value["kind"] == "tokens":
        return Tokens()
    if value["kind"] == "ranks":
        return Ranks(tuple(tuple(float(t) for t in row) for row in value["thresholds"]))
    raise ValueError(f"unknown encoding {value['kind']!r}")


def encode(name: str, spec: TensorSpec, encoding: Encoding, real: Any, *, saturate: bool = False) -> IntArray:
    """Real numbers to the integers of an input, in the input's dtype.

    Shape: exactly `spec.shape`. Raises InvalidInput on another shape or type, on what is not finite, and on what lies
    outside of the encoding's range, unless `saturate` brings it to the nearest end.
    """
    array = np.asarray(real)
    if array.shape != spec.shape or array.dtype.kind not in "fiub":
        raise _invalid(name, f"it has shape {list(array.shape)} of {array.dtype}, and {list(spec.shape)} of numbers is asked for")
    array = array.astype(np.float64)
    if not np.isfinite(array).all():
        raise _invalid(name, "it holds NaN or an infinity")
    try:
        encoded = encoding.encode(array)
    except ValueError as error:
        raise _invalid(name, str(error)) from error
    low, high = spec.interval.low, spec.interval.high
    if saturate:
        encoded = np.clip(encoded, low, high)
    if (encoded < low).any() or (encoded > high).any():
        raise _invalid(name, f"it holds {_outside(array, encoded, spec.interval)}, beyond what calibration has seen")
    return encoded.astype(spec.dtype.numpy)


def _outside(array: FloatArray, encoded: FloatArray, interval: Interval) -> float:
    return float(array[(encoded < interval.low) | (encoded > interval.high)].flat[0])


def _invalid(name: str, reason: str) -> InvalidInput:
    return InvalidInput(
        thing=f"input `{name}`", reason=reason, hint="`vml run --help` shows what an input looks like; `--saturate` clips"
    )
