# SPDX-License-Identifier: MIT OR Apache-2.0
"""How many tensors come out of one call of onnxruntime at little cost.

Each output that onnxruntime hands over as an array of its own costs a microsecond, as much as a small operator, and half of one
if it is cast before. So a thread has one buffer that all outputs are written to, those that are to be cast side by side; it is
copied and cast as a whole, and cut into arrays.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np

from verifiable_ml.commitment.codec import IntArray
from verifiable_ml.execute.graph import Value

MOST_BOUND = 16 << 20
"""Bytes of a buffer that a thread keeps; beyond, what an array costs is nothing beside its bytes."""
ALIGNMENT = 64
"""Elements, and so bytes at least: as onnxruntime's own allocations."""

Fetch = Callable[[tuple[IntArray, ...]], list[IntArray]]
Cut = Callable[[tuple[IntArray, ...], IntArray], IntArray]
"""From inputs and buffer to a tensor."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A value, and the type in which it is to come out; both hold its integers."""

    value: Value
    dtype: str


def fetcher(session: Any, feeds: list[str], wanted: Sequence[Wanted]) -> Fetch:
    """From the inputs, in the order of `feeds`, to what is wanted. Without a session all are inputs, perhaps permuted."""
    nbytes = sum(_elements(each.value) * 8 for each in wanted)
    made = {(each.value.name, each.dtype) for each in wanted if each.value.name not in feeds}
    names = sorted({name for name, _ in made})
    if made and nbytes <= MOST_BOUND and len(names) == len(made):
        return _Bound(session, feeds, wanted)

    def fetch(inputs: tuple[IntArray, ...]) -> list[IntArray]:
        given = dict(zip(feeds, inputs, strict=True))
        arrays = given | dict(zip(names, session.run(names, given) if names else (), strict=True))
        values = ((each.value, arrays[each.value.name].astype(each.dtype, copy=False)) for each in wanted)
        return [value.layout.read(array, value.shape) for value, array in values]

    return fetch


class _Bound:
    """A session, and where in a buffer its outputs go. Any number of threads may call it."""

    def __init__(self, session: Any, feeds: list[str], wanted: Sequence[Wanted]) -> None:
        self._session, self._feeds, self._local = session, feeds, threading.local()
        made = {each.value.name: each for each in wanted if each.value.name not in feeds}
        self._made = sorted(made.values(), key=lambda each: (each.value.dtype != each.dtype, each.value.dtype, each.dtype))
        self._starts, self._filled = _places(self._made, lambda each: each.value.dtype)  # as onnxruntime writes them
        places, self._nbytes = _places(self._made, lambda each: each.dtype)  # as they come out
        plain = {
            str(place): each for place, each in enumerate(wanted) if each.value.layout.is_plain and each.value.name in places
        }
        self._record = np.dtype(
            {
                "names": list(plain),
                "formats": [(each.dtype, each.value.shape) for each in plain.values()],
                "offsets": [places[each.value.name] for each in plain.values()],
                "itemsize": self._nbytes,
            }
        )
        self._fields = self._record.names or ()
        others = [(place, each) for place, each in enumerate(wanted) if str(place) not in plain]
        self._others = [(place, self._cut(each, places)) for place, each in others]

    def __call__(self, inputs: tuple[IntArray, ...]) -> list[IntArray]:
        if not hasattr(self._local, "binding"):
            self._local.binding, self._local.groups = self._bound()
        binding = self._local.binding
        for name, values in zip(self._feeds, inputs, strict=True):
            binding.bind_cpu_input(name, values)
        self._session.run_with_iobinding(binding)
        buffer = np.empty(self._nbytes, np.uint8)
        for written, dtype, start in self._local.groups:
            np.copyto(np.ndarray(written.shape, dtype, buffer, start), written, casting="unsafe")
        record = np.ndarray((), self._record, buffer)  # its fields are arrays in a third of the time that np.ndarray takes
        found = [record[name] for name in self._fields]
        for place, cut in self._others:
            found.insert(place, cut(inputs, buffer))
        return found

    def _cut(self, each: Wanted, places: dict[str, int]) -> Cut:
        """Of what is an input, or is stored in another order than it is read in."""
        value, shape, layout = each.value, each.value.shape, each.value.layout
        if value.name in self._feeds:
            feed = self._feeds.index(value.name)
            return lambda inputs, buffer: layout.read(inputs[feed], shape)
        stored, dtype, start, array = value.stored, np.dtype(each.dtype), places[value.name], np.ndarray
        whole = np.empty(stored, dtype)
        read = layout.read(whole, shape)
        if not np.may_share_memory(read, whole):
            return lambda inputs, buffer: layout.read(array(stored, dtype, buffer, start), shape)
        strides = read.strides
        return lambda inputs, buffer: array(shape, dtype, buffer, start, strides)

    def _bound(self) -> tuple[Any, list[tuple[IntArray, Any, int]]]:
        """A binding to a new buffer; and its parts, each with the type that it is cast to and where it goes then."""
        buffer = np.zeros(self._filled + ALIGNMENT, np.uint8)  # what lies between outputs is cast as well
        buffer = buffer[-buffer.ctypes.data % ALIGNMENT :][: self._filled]
        binding, kinds = self._session.io_binding(), dict[tuple[str, str], list[Wanted]]()
        for each in self._made:
            value, start = each.value, self._starts[each.value.name]
            binding.bind_output(value.name, "cpu", 0, np.dtype(value.dtype), value.stored, buffer.ctypes.data + start)
            if value.dtype != each.dtype:
                kinds.setdefault((value.dtype, each.dtype), []).append(each)
        end = min((self._starts[group[0].value.name] for group in kinds.values()), default=self._filled)
        groups: list[tuple[IntArray, Any, int]] = [(buffer[:end], buffer.dtype, 0)] if end else []  # not cast, hence first
        for (dtype, cast), group in kinds.items():
            count, start = sum(_elements(each.value) for each in group), self._starts[group[0].value.name]
            groups.append((np.ndarray((count,), dtype, buffer, start), np.dtype(cast), end))
            end += count * np.dtype(cast).itemsize
        return binding, groups


def _places(made: Sequence[Wanted], dtype: Callable[[Wanted], str]) -> tuple[dict[str, int], int]:
    """By name where each begins if all lie one after the other in these types; and where the last ends. Bytes."""
    places, end = {}, 0
    for each in made:
        places[each.value.name], end = end, end + _elements(each.value) * np.dtype(dtype(each)).itemsize
    return places, end


def _elements(value: Value) -> int:
    return -(-prod(value.stored) // ALIGNMENT) * ALIGNMENT
