# SPDX-License-Identifier: MIT OR Apache-2.0
"""The fast twin of the reference: a Program as one onnxruntime graph, bit for bit the same on every operator's output.

What cannot be exact there is refused when the view is built. It rests on floating sums and products of integers below 2^24
or 2^53 being exact, so no option that lowers precision (fast maths in bfloat16) may be turned on.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import onnxruntime as ort

from verifiable_ml.commitment.codec import IntArray
from verifiable_ml.errors import UnsupportedModel
from verifiable_ml.execute.fetch import Wanted, fetcher
from verifiable_ml.execute.graph import Graph, Step, Value
from verifiable_ml.execute.requantised import requantised
from verifiable_ml.execute.signed import signed_products_are_exact
from verifiable_ml.execute.stack import Stacked, stacked
from verifiable_ml.execute.trace import Trace, check_inputs
from verifiable_ml.execute.views import VIEWS
from verifiable_ml.program import ConstantRef, Operator, Program, TensorSpec

SMALL = 1 << 12
"""Elements of a tensor that had better be cast with others, after it has come out."""


class OnnxView:
    """A program that is ready to run. Building takes milliseconds to seconds, so keep it.

    `every_output` records each operator's output, as `trace` needs it. With `count`, that many runs are computed in one call,
    and `stack` makes it. `model` is the ONNX file that runs, as bytes. Raises UnsupportedModel if a step cannot be exact.
    """

    def __init__(self, program: Program, *, every_output: bool = False, threads: int = 1, count: int | None = None) -> None:
        self.program, self.every_output = program, every_output
        total = len(program.inputs) + len(program.operators)
        stack = stacked(program, count) if count else Stacked(program, tuple(range(total)))
        graph, values = _lowered(stack.program)
        self.taken = stack.program
        wanted = range(total) if every_output else [output.index for output in program.outputs]
        results = [_result(graph, values[stack.places[index]], program.spec(index), count) for index in wanted]
        inputs = {given.name: value for given, value in zip(program.inputs, values, strict=False)}
        feeds = [value.name for value in inputs.values()]
        outputs = {value.name: value for value in results if value.name not in feeds}
        taken = [Wanted(value, program.spec(index).dtype.numpy.name) for index, value in zip(wanted, results, strict=True)]
        self.model = graph.model(inputs, list(outputs.values())).SerializeToString()
        made = session(self.model, threads) if outputs else None  # a graph that only permutes has no nodes
        self._indices, self._fetch = tuple(wanted), fetcher(made, feeds, taken)

    def outputs(self, inputs: Mapping[str, IntArray]) -> tuple[IntArray, ...]:
        """The program's outputs, in order. Raises InvalidInput."""
        found = self._fetch(check_inputs(self.program, inputs))
        return tuple(found[output.index] for output in self.program.outputs) if self.every_output else tuple(found)

    def trace(self, inputs: Mapping[str, IntArray]) -> Trace:
        """Every tensor of the program. Raises InvalidInput; ValueError if the view was not built with every_output."""
        if not self.every_output:
            raise ValueError("this view records outputs only: build it with every_output=True")
        return Trace(self.program, tuple(self._fetch(check_inputs(self.program, inputs))))

    def stack(self, inputs: Mapping[str, IntArray]) -> dict[int, IntArray]:
        """By trace index, each tensor of `count` runs [count, *shape]; inputs are stacked likewise. Raises InvalidInput."""
        return dict(zip(self._indices, self._fetch(check_inputs(self.taken, inputs)), strict=True))


def _lowered(program: Program) -> tuple[Graph, list[Value]]:
    """The graph, and each tensor of the trace as a value of it."""
    graph, values = Graph(signed=signed_products_are_exact()), []
    for place, given in enumerate(program.inputs):
        values.append(graph.value(f"input_{place}", given.spec.dtype.numpy.name, given.spec.shape))
    for place, operator in enumerate(program.operators):
        try:
            values.append(_step(graph, program, operator, values))
        except UnsupportedModel as error:
            thing = f"operator {place} `{operator.label or operator.kind}`: {error.thing}"
            raise UnsupportedModel(thing=thing, reason=error.reason, hint=error.hint) from error
    return graph, values


def _step(graph: Graph, program: Program, operator: Operator, values: list[Value]) -> Value:
    operands = tuple(
        graph.constant_value(program.constants[ref.index]) if isinstance(ref, ConstantRef) else values[ref.index]
        for ref in operator.operands
    )
    reached = program.accumulator(operator)
    known = tuple(map(program.known, operator.operands))
    accumulated = VIEWS[operator.kind](graph, Step(operator.attributes, known, reached, operator.output), operands)
    if operator.requantise is None:
        return accumulated
    return requantised(graph, accumulated, operator.requantise, reached, operator.output.dtype.numpy.name)


def _result(graph: Graph, value: Value, spec: TensorSpec, count: int | None) -> Value:
    """The runs in front; in the trace's type if there is much to cast; a constant, which no output can be, as a node's output."""
    if count or spec.size > SMALL:
        value = graph.cast(value, spec.dtype.numpy.name)
    return graph.computed(graph.reshaped(value, (count, *spec.shape)) if count else value)


def session(model: bytes, threads: int) -> Any:
    """An onnxruntime session on CPU that does not spin. Raises UnsupportedModel."""
    options = ort.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.log_severity_level = 3
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's own errors share no base class
        raise UnsupportedModel(
            thing="the onnxruntime view", reason=str(error)[:300], hint="`run_reference` runs every program, slowly"
        ) from error
