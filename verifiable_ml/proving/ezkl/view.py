# SPDX-License-Identifier: MIT OR Apache-2.0
"""The ezkl view: the same program, bit for bit, as an ONNX graph that ezkl turns into a halo2 circuit.

One file an operator in views/. Two rewrites reach over operators, both equal by construction: a max over windows is
taken before the requantisation that precedes it (both are monotone), and a hidden input is saturated to its declared
interval inside the circuit, since nothing outside of it can check what it does not see; a hashed one has to lie there,
since its digest is of what was given. Hidden weights are tied (tie.py).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import onnx

from verifiable_ml.commitment import Privacy
from verifiable_ml.commitment.codec import IntArray
from verifiable_ml.errors import UnsupportedModel, UnsupportedOperator
from verifiable_ml.program import ConstantRef, Interval, Operand, Operator, Program
from verifiable_ml.program.tensor import Shape
from verifiable_ml.proving.ezkl.graph import Graph
from verifiable_ml.proving.ezkl.requantise import saturate
from verifiable_ml.proving.ezkl.tie import tie

SALT_LIMBS = 8
"""A hashed input is one flat tensor, its values and then 8 limbs of 16 bits of salt, so that Poseidon covers both."""


@dataclass(frozen=True)
class View:
    """What ezkl compiles, the trace index of each of its outputs, and the run arguments that follow from it.

    decomposed: the greatest magnitude that is taken apart into legs, inputs and outputs aside.
    weights: how many elements ezkl must find to hash or commit to; None where the weights are public.
    """

    model: onnx.ModelProto
    outputs: tuple[int, ...]
    lookup_range: tuple[int, int]
    decomposed: int
    least_logrows: int
    weights: int | None = None


@dataclass
class Context:
    """What a file of views/ may ask: names of tensors in the graph, and the program around an operator."""

    program: Program
    graph: Graph
    names: dict[int, str] = field(default_factory=dict)
    """By trace index."""
    open_sums: dict[int, str] = field(default_factory=dict)
    """By trace index: acc * multiplier, where a max over windows comes before the rest of the requantisation."""
    deferred: frozenset[int] = frozenset()
    """Trace indices of conv outputs that only a max over windows reads."""
    doubled: set[int] = field(default_factory=set)
    """Trace indices whose open sums are twice that."""

    def tensor(self, operand: Operand) -> str:
        """The name of an operand; a constant is written into the graph."""
        if isinstance(operand, ConstantRef):
            return self.graph.constant(self.program.constants[operand.index])
        return self.names[operand.index]

    def shape(self, operand: Operand) -> Shape:
        """Its shape in the program."""
        return self.program.known(operand).shape

    def interval(self, operand: Operand) -> Interval:
        """Its proven interval."""
        return self.program.known(operand).interval

    def centred(self, operand: Operand, zero: int) -> str:
        """The operand minus its zero point."""
        return self.graph.plus(self.tensor(operand), [-zero])

    def index(self, operator: Operator) -> int:
        """Its trace index."""
        place = next(i for i, each in enumerate(self.program.operators) if each is operator)
        return place + len(self.program.inputs)

    def defers(self, operator: Operator) -> bool:
        """Whether a max over windows takes over this operator's requantisation."""
        return self.index(operator) in self.deferred

    def refuse(self, operator: Operator, reason: str) -> UnsupportedOperator:
        """The error for one operator."""
        return UnsupportedOperator(
            thing=f"operator `{operator.label or operator.kind}` ({operator.kind})",
            reason=reason,
            hint="prove it with another backend (`--backend replay` re-executes), or change the layer",
        )


Emit = Callable[[Context, Operator], str]


def build(program: Program, privacy: Privacy | None = None, every_output: bool = False) -> View:
    """Write the view. Its outputs are the program's, or with `every_output` those of all operators, in program order.

    Raises UnsupportedOperator, naming the operator, for what ezkl cannot prove exactly.
    """
    from verifiable_ml.proving.ezkl.views import VIEWS

    privacy = privacy or Privacy()
    graph, inputs = Graph(), _input_shapes(program, privacy)
    context = Context(program, graph, _inputs(program, privacy, graph), deferred=_deferred(program, every_output))
    count = len(program.inputs)
    for place, operator in enumerate(program.operators):
        context.names[count + place] = _emitted(VIEWS[operator.kind], context, operator)
        if count + place in context.deferred:
            context.open_sums[count + place] = context.names.pop(count + place)
    wanted = tuple(range(count, count + len(program.operators)) if every_output else (o.index for o in program.outputs))
    model = graph.model(inputs, [(context.names[index], program.spec(index).shape) for index in wanted])
    reach = graph.looked_up
    plain = View(model, wanted, (reach.low, reach.high), graph.decomposed, 6)
    if privacy.weights == "public":
        return plain
    tied = tie(model)
    return replace(plain, model=tied.model, weights=tied.weights)


def _emitted(emit: Emit, context: Context, operator: Operator) -> str:
    """The operator in the graph. What the graph cannot hold is refused in the operator's name."""
    if all(isinstance(operand, ConstantRef) for operand in operator.operands):
        raise context.refuse(operator, "all its operands are constants, and ezkl would fold it in float32")
    try:
        return emit(context, operator)
    except UnsupportedOperator:
        raise
    except UnsupportedModel as error:
        raise context.refuse(operator, f"{error.thing}: {error.reason}") from error


def view_inputs(program: Program, inputs: Mapping[str, IntArray], salt: tuple[int, ...] | None = None) -> list[list[int]]:
    """What ezkl takes as input_data: each input flat, a hashed one with its salt behind it."""
    return [[*map(int, inputs[given.name].ravel()), *(salt or ())] for given in program.inputs]


def _input_shapes(program: Program, privacy: Privacy) -> dict[str, Shape]:
    salt = SALT_LIMBS if privacy.input == "hashed" else 0
    return {f"x{place}": (1, given.spec.size + salt) for place, given in enumerate(program.inputs)}


def _inputs(program: Program, privacy: Privacy, graph: Graph) -> dict[int, str]:
    names = {}
    for place, given in enumerate(program.inputs):
        name = f"x{place}"
        if privacy.input == "hashed":
            ends = [graph.integers((end,)) for end in (0, given.spec.size, 1)]
            name = graph.op("Slice", name, *ends)
        if privacy.input != "public":
            held = _held_to(graph, name, given.spec.interval)
            name = _unmoved(graph, name, held, given.spec.size) if privacy.input == "hashed" else held
        names[place] = graph.reshape(name, given.spec.shape)
    return names


def _held_to(graph: Graph, name: str, interval: Interval) -> str:
    """Saturated to the declared interval. What is hidden and far outside finds no row of the table, hence no proof."""
    width = interval.high - interval.low + 1
    return saturate(graph, name, Interval(interval.low - width, interval.high + width), interval)


def _unmoved(graph: Graph, given: str, held: str, size: int) -> str:
    """What is held, if it is what was given: else a digest could be of an input that no one may ever show.

    The squares of all differences sum to an index of a table of one entry. Each lies in a table's range: nothing wraps.
    """
    moved = graph.op("Sub", given, held)
    squares = graph.op("MatMul", moved, graph.reshape(moved, (size, 1)))
    nothing = graph.op("Gather", graph.constant([0]), graph.reshape(squares, (1,)), axis=0)
    return graph.op("Add", held, graph.reshape(nothing, (1, 1)))


def _deferred(program: Program, every_output: bool) -> frozenset[int]:
    if every_output:
        return frozenset()
    count = len(program.inputs)
    uses = Counter(o.index for op in program.operators for o in op.operands if not isinstance(o, ConstantRef))
    uses.update(output.index for output in program.outputs)
    found = set()
    for operator in program.operators:
        source = operator.operands[0].index
        if operator.kind == "max" and not operator.attributes.axes and source >= count and uses[source] == 1:
            before = program.operators[source - count]
            if before.kind == "conv" and before.requantise is not None and before.requantise.shift:
                found.add(source)
    return frozenset(found)
