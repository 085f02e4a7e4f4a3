# SPDX-License-Identifier: MIT OR Apache-2.0
"""How many tensors come out of one call of onnxruntime at little cost.

Each output that onnxruntime hands over as an array of its own costs a microsecond, as much as a small operator. So a thread
has one buffer that all outputs are written to; a copy of it is cut into arrays.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from math import prod
from typing import Any

import numpy as np

from verifiable_ml.commitment.codec import IntArray
from verifiable_ml.execute.graph import Value

MOST_BOUND = 16 << 20
"""Bytes of a buffer that a thread keeps; beyond, what an array costs is nothing beside its bytes."""
ALIGNMENT = 64
"""Bytes: as onnxruntime's own allocations."""

Fetch = Callable[[tuple[IntArray, ...]], list[IntArray]]


def fetcher(session: Any, feeds: list[str], values: Sequence[Value]) -> Fetch:
    """From the inputs, in the order of `feeds`, to `values`. Without a session all values are inputs, perhaps permuted."""
    nbytes = sum(_room(value) for value in values)
    names = sorted({value.name for value in values} - set(feeds))
    if session is not None and names and nbytes <= MOST_BOUND:
        return _Bound(session, feeds, values)

    def fetch(inputs: tuple[IntArray, ...]) -> list[IntArray]:
        given = dict(zip(feeds, inputs, strict=True))
        arrays = given | dict(zip(names, session.run(names, given) if names else (), strict=True))
        return [value.layout.read(arrays[value.name], value.shape) for value in values]

    return fetch


class _Bound:
    """A session, and where in a buffer its outputs go. Any number of threads may call it."""

    def __init__(self, session: Any, feeds: list[str], values: Sequence[Value]) -> None:
        self._session, self._feeds, self._local = session, feeds, threading.local()
        offsets: dict[str, int] = {}
        end = 0
        for value in values:
            if value.name not in feeds and value.name not in offsets:
                offsets[value.name], end = end, end + _room(value)
        self._stored = {value.name: value for value in values}
        self._offsets, self._nbytes = offsets, end
        plain = {place: value for place, value in enumerate(values) if value.layout.is_plain and value.name in offsets}
        self._record = np.dtype(
            {
                "names": list(map(str, plain)),
                "formats": [(value.dtype, value.shape) for value in plain.values()],
                "offsets": [offsets[value.name] for value in plain.values()],
                "itemsize": max(end, 1),
            }
        )
        self._fields = self._record.names or ()
        self._others = [(place, self._reader(value)) for place, value in enumerate(values) if place not in plain]

    def __call__(self, inputs: tuple[IntArray, ...]) -> list[IntArray]:
        if not hasattr(self._local, "binding"):
            self._local.binding, self._local.buffer = self._bound()
        binding = self._local.binding
        for name, values in zip(self._feeds, inputs, strict=True):
            binding.bind_cpu_input(name, values)
        self._session.run_with_iobinding(binding)
        buffer = self._local.buffer.copy()
        record = np.ndarray((), self._record, buffer)  # its fields are arrays in a third of the time that np.ndarray takes
        found = [record[name] for name in self._fields]
        for place, read in self._others:
            found.insert(place, read(inputs, buffer))
        return found

    def _reader(self, value: Value) -> Callable[[tuple[IntArray, ...], IntArray], IntArray]:
        """From inputs and buffer to a value that is an input, or that is stored in another order than it is read in."""
        shape, layout = value.shape, value.layout
        if value.name in self._feeds:
            place = self._feeds.index(value.name)
            return lambda inputs, buffer: layout.read(inputs[place], shape)
        stored, dtype, offset = value.stored, np.dtype(value.dtype), self._offsets[value.name]
        whole = np.empty(stored, dtype)
        read = layout.read(whole, shape)
        if not np.may_share_memory(read, whole):
            return lambda inputs, buffer: layout.read(np.ndarray(stored, dtype, buffer, offset), shape)
        strides, array = read.strides, np.ndarray
        return lambda inputs, buffer: array(shape, dtype, buffer, offset, strides)

    def _bound(self) -> tuple[Any, IntArray]:
        buffer = np.empty(self._nbytes + ALIGNMENT, np.uint8)
        buffer = buffer[-buffer.ctypes.data % ALIGNMENT :][: self._nbytes]
        binding = self._session.io_binding()
        for name, offset in self._offsets.items():
            value = self._stored[name]
            binding.bind_output(name, "cpu", 0, np.dtype(value.dtype), value.stored, buffer.ctypes.data + offset)
        return binding, buffer


def _room(value: Value) -> int:
    return -(-prod(value.stored) * np.dtype(value.dtype).itemsize // ALIGNMENT) * ALIGNMENT
