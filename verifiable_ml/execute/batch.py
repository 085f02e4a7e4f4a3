# SPDX-License-Identifier: MIT OR Apache-2.0
"""Many inputs, one call: chunks of inputs go through onnxruntime together, and traces come out one an input.

Bit for bit what one input after the other gives, sooner. How many go together is bounded by the memory that they take.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from math import prod
from typing import Any

import numpy as np

from verifiable_ml.commitment.codec import IntArray
from verifiable_ml.errors import InvalidInput, UnsupportedModel
from verifiable_ml.execute.onnxruntime import OnnxView
from verifiable_ml.execute.ordered import ordered
from verifiable_ml.execute.reference import run_reference
from verifiable_ml.execute.trace import Trace, encode_inputs
from verifiable_ml.program import Operator, Program

MOST_TOGETHER = 256
"""More gain nothing: by then what a call costs is spread thin."""
CHUNK_BYTES = 32 << 20
"""Of all tensors of the runs that go together, as wide as onnxruntime may hold them."""

Sample = Mapping[str, Any] | Any
Tensors = Mapping[int, IntArray]


class Batch:
    """A program that is ready to run on many inputs. With `every_output` it gives traces, else outputs.

    `workers` threads run a chunk each.
    """

    def __init__(self, program: Program, *, every_output: bool, workers: int = 1) -> None:
        self.program, self.every_output, self._workers = program, every_output, workers
        self._view = lru_cache(maxsize=2)(self._built)

    def traces(self, samples: Sequence[Sample], *, saturate: bool = False) -> Iterator[Trace]:
        """One an input, in order; `samples` as encode_inputs takes them. Raises InvalidInput, naming the sample."""
        for tensors, count in self._chunks(samples, saturate):
            for place in range(count):
                yield Trace(self.program, tuple(tensors[index][place] for index in range(len(tensors))))

    def outputs(self, samples: Sequence[Sample], *, saturate: bool = False) -> tuple[IntArray, ...]:
        """Each output of all samples [n, *shape], in order. Raises InvalidInput, naming the sample."""
        parts = [[tensors[o.index][:count] for o in self.program.outputs] for tensors, count in self._chunks(samples, saturate)]
        specs = self.program.output_specs
        empty = [np.empty((0, *spec.shape), spec.dtype.numpy) for spec in specs]
        return tuple(np.concatenate(each) for each in zip(*(parts or [empty]), strict=True))

    def _chunks(self, samples: Sequence[Sample], saturate: bool) -> Iterator[tuple[Tensors, int]]:
        """The tensors of a chunk by trace index, runs first, and how many of its runs are samples: the last is filled up."""
        if not len(samples):
            return
        together = min(most_together(self.program), 1 << (len(samples) - 1).bit_length())
        view = self._view(together)

        def run(start: int) -> tuple[Tensors, int]:
            chunk = samples[start : start + together]
            inputs = encode_batch(self.program, chunk, start, saturate=saturate)
            fill = together - len(chunk)
            return view({n: np.concatenate([x, *[x[-1:]] * fill]) for n, x in inputs.items()}), len(chunk)

        yield from ordered(run, range(0, len(samples), together), self._workers)

    def _built(self, count: int) -> Callable[[Mapping[str, IntArray]], Tensors]:
        try:
            return OnnxView(self.program, every_output=self.every_output, count=count).stack
        except UnsupportedModel:
            return self._one_by_one

    def _one_by_one(self, inputs: Mapping[str, IntArray]) -> Tensors:
        count = len(next(iter(inputs.values())))
        traces = [run_reference(self.program, {name: x[place] for name, x in inputs.items()}).tensors for place in range(count)]
        return dict(enumerate(map(np.stack, zip(*traces, strict=True))))


def most_together(program: Program) -> int:
    """A power of two: how many runs fit CHUNK_BYTES, their inputs, outputs and what lies between held at once."""
    tensors = [program.spec(index) for index in range(len(program.inputs) + len(program.operators))]
    between = max(16 * max(spec.size for spec in tensors), *(_gathered(program, each) for each in program.operators))
    each = sum(spec.nbytes for spec in tensors) + between
    return 1 << (max(1, min(MOST_TOGETHER, CHUNK_BYTES // each)).bit_length() - 1)


def _gathered(program: Program, operator: Operator) -> int:
    """Bytes of a convolution's windows."""
    if operator.kind != "conv":
        return 0
    weights = program.known(operator.operands[1]).shape
    return operator.output.size // weights[0] * prod(weights[1:])


def encode_batch(program: Program, samples: Sequence[Sample], first: int = 0, *, saturate: bool = False) -> dict[str, IntArray]:
    """Real numbers to integers, as encode_inputs, of all samples at once: [n, *shape] an input.

    Raises InvalidInput, naming the sample; they are counted from `first`.
    """
    names = [given.name for given in program.inputs]
    rows = [sample if isinstance(sample, Mapping) else {names[0]: sample} for sample in samples]
    if all(set(row) == {*names} for row in rows):
        try:
            stacks = {name: np.stack([np.asarray(row[name]) for row in rows]) for name in names}
            return encode_inputs(program, stacks, saturate=saturate, count=len(rows))
        except (ValueError, TypeError, InvalidInput):
            pass  # one by one, which says whose fault it is
    encoded = [_encoded(program, sample, first + place, saturate) for place, sample in enumerate(samples)]
    return {name: np.stack([each[name] for each in encoded]) for name in names}


def _encoded(program: Program, sample: Sample, place: int, saturate: bool) -> dict[str, IntArray]:
    try:
        return encode_inputs(program, sample, saturate=saturate)
    except InvalidInput as error:
        raise InvalidInput(thing=f"sample {place}: {error.thing}", reason=error.reason, hint=error.hint) from error
