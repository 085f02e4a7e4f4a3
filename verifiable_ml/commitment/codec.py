# SPDX-License-Identifier: MIT OR Apache-2.0
"""Tensors as bytes: little endian two's complement, C order. The dtype is one byte, the shape is the program's."""

from __future__ import annotations

from enum import IntEnum
from math import prod
from typing import Any

import numpy as np
import numpy.typing as npt

from verifiable_ml.errors import MalformedEvidence

IntArray = npt.NDArray[Any]


class Dtype(IntEnum):
    """The four integer types of a program; the value is the byte that headers and descriptors carry."""

    U8 = 0
    I16 = 1
    I32 = 2
    I64 = 3

    @property
    def width(self) -> int:
        """Bytes an element. Divides 256, so that no element straddles a leaf."""
        return (1, 2, 4, 8)[self]

    @property
    def numpy(self) -> np.dtype[Any]:
        """The little endian NumPy type."""
        return np.dtype(("<u1", "<i2", "<i4", "<i8")[self])

    @property
    def low(self) -> int:
        """The least value."""
        return int(np.iinfo(self.numpy).min)

    @property
    def high(self) -> int:
        """The greatest value."""
        return int(np.iinfo(self.numpy).max)

    @property
    def label(self) -> str:
        """The name in manifests and claims: u8, i16, i32, i64."""
        return self.name.lower()

    @classmethod
    def of(cls, array: IntArray) -> Dtype:
        """The dtype of an array that already has one of the four types."""
        for dtype in cls:
            if array.dtype == dtype.numpy:
                return dtype
        raise TypeError(f"an array of {array.dtype} is no tensor of a program")

    @classmethod
    def holding(cls, low: int, high: int) -> Dtype:
        """The narrowest dtype that holds every integer of [low, high]. Raises OverflowError beyond i64."""
        for dtype in cls:
            if dtype.low <= low and high <= dtype.high:
                return dtype
        raise OverflowError(f"[{low}, {high}] does not fit 64 bits")


def encode_tensor(array: IntArray) -> bytes:
    """The bytes of a tensor whose dtype is one of the four."""
    Dtype.of(array)
    return np.ascontiguousarray(array).tobytes()


def decode_tensor(data: bytes, dtype: Dtype, shape: tuple[int, ...]) -> IntArray:
    """Read a tensor; every byte string of the right length is one (rule 6). Raises MalformedEvidence on another length."""
    wanted = prod(shape) * dtype.width
    if len(data) != wanted:
        raise MalformedEvidence(
            thing=f"a tensor of {dtype.label} with shape {list(shape)}",
            reason=f"it takes {wanted} bytes, and {len(data)} were given",
            hint="send exactly the bytes that the program's specification asks for",
        )
    return np.frombuffer(data, dtype=dtype.numpy).reshape(shape)
