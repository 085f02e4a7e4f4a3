# SPDX-License-Identifier: MIT OR Apache-2.0
"""The Trace: the output tensor of every operator for one input, in program order, with its Merkle root."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from verifiable_ml.commitment import Claim, Dtype, InputCommitment, OutputBytes, encode_tensor, tensor_root, trace_root
from verifiable_ml.commitment.codec import IntArray
from verifiable_ml.errors import InvalidInput
from verifiable_ml.program import Program
from verifiable_ml.program.encoding import FloatArray, encode


@dataclass(frozen=True, eq=False)
class Trace:
    """`tensors`: inputs first, then each operator's output, each in the dtype and shape of its specification."""

    program: Program
    tensors: tuple[IntArray, ...]

    @cached_property
    def roots(self) -> tuple[bytes, ...]:
        """The tensor root of each tensor (rule 2)."""
        return tuple(tensor_root(Dtype.of(tensor), encode_tensor(tensor)) for tensor in self.tensors)

    @cached_property
    def root(self) -> bytes:
        """The trace root (rule 3), 32 bytes."""
        return trace_root(self.roots)

    @property
    def inputs(self) -> tuple[IntArray, ...]:
        """The inputs, as integers."""
        return self.tensors[: len(self.program.inputs)]

    @property
    def outputs(self) -> tuple[IntArray, ...]:
        """The program's outputs, as integers, in order."""
        return tuple(self.tensors[output.index] for output in self.program.outputs)


def check_inputs(program: Program, inputs: Mapping[str, IntArray]) -> tuple[IntArray, ...]:
    """The inputs in program order, in their dtypes. Raises InvalidInput for a missing, surplus, misshapen or outlying one."""
    names = [given.name for given in program.inputs]
    if set(inputs) != set(names):
        raise _invalid(f"inputs {sorted(inputs)}", f"the program takes {names}, no more and no fewer")
    tensors = []
    for given in program.inputs:
        values, spec = np.asarray(inputs[given.name]), given.spec
        if values.dtype.kind not in "iu" or values.shape != spec.shape:
            raise _invalid(
                f"input `{given.name}`",
                f"it has shape {list(values.shape)} of {values.dtype}; {list(spec.shape)} of integers is asked for",
            )
        if int(values.min()) < spec.interval.low or int(values.max()) > spec.interval.high:
            raise _invalid(f"input `{given.name}`", f"it leaves the interval [{spec.interval.low}, {spec.interval.high}]")
        tensors.append(np.asarray(values, dtype=spec.dtype.numpy, order="C"))
    return tuple(tensors)


def encode_inputs(
    program: Program, real: Mapping[str, Any] | Any, *, saturate: bool = False, count: int | None = None
) -> dict[str, IntArray]:
    """Real numbers to integers by the program's encodings: a dict by input name, or one array if there is one input.

    count: of how many runs, stacked along a first axis. Raises InvalidInput.
    """
    if not isinstance(real, Mapping):
        if len(program.inputs) != 1:
            raise _invalid("an input", f"the program takes {[given.name for given in program.inputs]}: give a dict by name")
        real = {program.inputs[0].name: real}
    names = [given.name for given in program.inputs]
    if set(real) != set(names):
        raise _invalid(f"inputs {sorted(map(str, real))}", f"the program takes {names}, no more and no fewer")
    specs = [given.spec if count is None else given.spec.stacked(count) for given in program.inputs]
    return {
        given.name: encode(given.name, spec, given.encoding, real[given.name], saturate=saturate)
        for given, spec in zip(program.inputs, specs, strict=True)
    }


def decode_outputs(program: Program, outputs: Sequence[IntArray]) -> list[FloatArray]:
    """The outputs as real numbers, in the order of the ONNX outputs."""
    return [output.decoding.decode(values) for output, values in zip(program.outputs, outputs, strict=True)]


def public_claim(trace: Trace) -> Claim:
    """The claim that this run supports with everything public: the same in every backend."""
    return claim_of(trace.program, trace.inputs, trace.outputs)


def claim_of(program: Program, inputs: Sequence[IntArray], outputs: Sequence[IntArray]) -> Claim:
    """The same of a run of which only inputs and outputs are left, each in its dtype."""
    committed = tuple(InputCommitment.public(Dtype.of(tensor), encode_tensor(tensor)) for tensor in inputs)
    return Claim(program.id, committed, tuple(OutputBytes(Dtype.of(tensor), encode_tensor(tensor)) for tensor in outputs))


def _invalid(thing: str, reason: str) -> InvalidInput:
    return InvalidInput(thing=thing, reason=reason, hint="`vml run --help` shows what an input looks like")
