# SPDX-License-Identifier: MIT OR Apache-2.0
"""What a side knows: programs, and inputs that requests give by their roots alone. Runs each once."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np

from verifiable_ml.commitment import decode_tensor, encode_tensor, tensor_root, tensor_tree
from verifiable_ml.commitment.codec import IntArray
from verifiable_ml.commitment.roots import LEAF_BYTES
from verifiable_ml.dispute.docket import Request
from verifiable_ml.dispute.forest import Forest
from verifiable_ml.dispute.opening import Run, show
from verifiable_ml.dispute.witness import Witness
from verifiable_ml.execute import Trace, recorder
from verifiable_ml.program import Program

KEPT = 8
"""Runs that are kept in memory."""


@dataclass(frozen=True, slots=True)
class Outside:
    """An integer that leaves the interval which the program declares: which input, which element, and the whole input's bytes."""

    place: int
    element: int
    data: bytes
    width: int
    """Bytes an element."""

    def leaf(self) -> Run:
        """The leaf that holds it, with its siblings."""
        return show(self.data, tensor_tree(self.data), [self.element * self.width // LEAF_BYTES])[0]


def honest(trace: Trace) -> Forest:
    """What an honest side shows of its run."""
    return Forest(Witness(trace))


class Runs:
    """Programs by id, and the forests of their runs. shown: what a side makes of a run; a liar makes something else of it."""

    def __init__(self, programs: Iterable[Program], shown: Callable[[Trace], Forest] = honest) -> None:
        self.programs = {program.id: program for program in programs}
        self.shown = shown
        self._known: dict[tuple[bytes, ...], tuple[bytes, ...]] = {}
        self._recorders: dict[bytes, Callable[[dict[str, IntArray]], Trace]] = {}
        self._outside: dict[tuple[bytes, tuple[bytes, ...]], Outside | None] = {}
        self._forests: OrderedDict[tuple[bytes, tuple[bytes, ...]], Forest] = OrderedDict()

    def learn(self, inputs: tuple[bytes, ...], program: Program) -> None:
        """An input, by its bytes: a request may name it by its roots."""
        dtypes = [given.spec.dtype for given in program.inputs]
        roots = tuple(tensor_root(dtype, data) for dtype, data in zip(dtypes, inputs, strict=True))
        self._known[roots] = inputs

    def __call__(self, request: Request) -> Forest | None:
        """The forest of a request's run; None if its program or its input is not known here, or the input is a bad one."""
        program, inputs = self.programs.get(request.program_id), self._inputs(request)
        if program is None or not inputs or self.outside(request):
            return None
        key = request.program_id, request.roots
        if key not in self._forests:
            self._forests[key] = self.shown(self._run(program, inputs))
            if len(self._forests) > KEPT:
                self._forests.popitem(last=False)
        self._forests.move_to_end(key)
        return self._forests[key]

    def lengths(self, request: Request) -> tuple[int, ...]:
        """Bytes of each input; () if the program is not known here."""
        program = self.programs.get(request.program_id)
        return tuple(given.spec.nbytes for given in program.inputs) if program else ()

    def outside(self, request: Request) -> Outside | None:
        """The first integer of a known input that leaves its interval. Inputs that travel in a request were checked (rule 11)."""
        key = request.program_id, request.roots
        program, inputs = self.programs.get(request.program_id), self._inputs(request)
        if program is not None and inputs and key not in self._outside:
            self._outside[key] = _outside(program, inputs)
        return self._outside.get(key)

    def _inputs(self, request: Request) -> tuple[bytes, ...]:
        return request.inputs or self._known.get(request.roots, ())

    def _run(self, program: Program, inputs: tuple[bytes, ...]) -> Trace:
        if program.id not in self._recorders:
            self._recorders[program.id] = recorder(program)
        specs = [(given.name, given.spec) for given in program.inputs]
        arrays = {name: decode_tensor(data, spec.dtype, spec.shape) for (name, spec), data in zip(specs, inputs, strict=True)}
        return self._recorders[program.id](arrays)


def _outside(program: Program, inputs: tuple[bytes, ...]) -> Outside | None:
    for place, (given, data) in enumerate(zip(program.inputs, inputs, strict=True)):
        values = np.frombuffer(data, given.spec.dtype.numpy)
        bad = np.flatnonzero((values < given.spec.interval.low) | (values > given.spec.interval.high))
        if bad.size:
            return Outside(place, int(bad[0]), data, given.spec.dtype.width)
    return None


def input_bytes(trace: Trace) -> tuple[tuple[bytes, ...], tuple[bytes, ...]]:
    """The bytes of a run's inputs, and their roots."""
    data = tuple(map(encode_tensor, trace.inputs))
    return data, trace.roots[: len(data)]
