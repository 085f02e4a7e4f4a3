# SPDX-License-Identifier: MIT OR Apache-2.0
"""Widths: how many bits each tensor and each product's weights get. The presets, and the ladder that the search climbs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from verifiable_ml.quantize.spec import QuantSpec

WIDE_CONSUMERS = frozenset(
    {"Add", "Sub", "LayerNormalization", "Softmax", "LogSoftmax", "ReduceMean", "ReduceSum", "Div"}
    | {"Less", "Greater", "LessOrEqual", "GreaterOrEqual", "Equal", "Where", "Log", "Sqrt", "Reciprocal", "Pow"}
)
"""Operators whose operands keep 16 bits in a mixed program."""
TRANSPARENT = frozenset({"Reshape", "Transpose", "Slice", "Concat", "Pad", "Gather", "Identity"})
"""Operators that only move values: a tensor is as wide as what reads it behind them."""


LINEAR = frozenset(
    {"MatMul", "Conv", "Add", "Sub", "Mul", "Neg", "Abs", "Relu", "Sqrt", "ReduceSum", "ReduceMean", "AveragePool", "Pow"}
    | {"Clip"}
    | TRANSPARENT
)
"""What stands between a signal and the logarithm of its spectrum."""
STATE_BITS = 23
"""Of what adds up over the steps of a recurrent layer: 21 and the headroom's two; times an i16 it stays exact in float64."""
DEEP_BITS = 22
"""Of a tensor on the way into a logarithm: what is a millionth of the largest value counts there as much. Products of two, and
sums of a thousand products with 16-bit weights, stay below 2^47."""


SQUARE_BITS = 40
"""Of the squares of such tensors: what a root makes of them has half as many."""


def before_logarithms(nodes: Sequence[Any], constants: Mapping[str, object]) -> frozenset[str]:
    """Tensors of which logarithms are taken, and those that they are made of by LINEAR operators."""
    found = set[str]()
    for node in reversed(nodes):
        if node.kind == "Log" or (node.kind in LINEAR and any(name in found for name in node.outputs)):
            found |= {name for name in node.inputs if name and name not in constants}
    made = {name: node.kind for node in nodes for name in node.outputs}
    return frozenset(name for name in found if made.get(name, "MatMul") in LINEAR) if _is_signal(found, made) else frozenset()


KEPT = TRANSPARENT | {"Add", "ReduceSum"}
"""What squares go through on their way to a root or a logarithm."""


def squares(nodes: Sequence[Any], constants: Mapping[str, object]) -> frozenset[str]:
    """Squares, and sums of them, of which a root or a logarithm is taken: their range is that of the numbers, squared."""
    found = set[str]()
    for node in reversed(nodes):
        if node.kind in ("Sqrt", "Log") or (node.kind in KEPT and any(name in found for name in node.outputs)):
            found |= {name for name in node.inputs if name and name not in constants}
    made = {name: node for node in nodes for name in node.outputs}
    kept = set[str]()
    for name in [name for node in nodes for name in node.outputs if name in found]:
        node = made[name]
        is_square = node.kind == "Mul" and node.inputs[0] == node.inputs[1]
        if is_square or (node.kind in KEPT and all(x in kept for x in node.inputs if x not in constants)):
            kept.add(name)
    return frozenset(kept)


def _is_signal(found: set[str], made: Mapping[str, str]) -> bool:
    """Whether the way into the logarithm begins at an input: a sum of exponentials needs no more bits than they have."""
    return any(name not in made for name in found)


@dataclass(frozen=True, slots=True)
class Widths:
    """Names of the float model's tensors: those of 16 bits, and those into whose sum of products weights of 16 bits go.

    All others have 8. `bits` is FINE instead of 16 in a model of which every decision is asked for.
    """

    wide: frozenset[str] = frozenset()
    heavy: frozenset[str] = frozenset()
    bits: int = 16

    @property
    def are_fine(self) -> bool:
        """Whether tensors have more than 16 bits."""
        return self.bits > 16


FINE = 22
"""Bits that keep the decisions of a classical model: products of two such numbers still add up below 2^47."""


class Plan:
    """What a graph offers to the choice of widths: its tensors, and which of them a mixed program keeps wide."""

    def __init__(self, nodes: Sequence[Any], outputs: Sequence[str], constants: Mapping[str, object]) -> None:
        self.every = frozenset(name for node in nodes for name in (*node.inputs, *node.outputs) if name not in constants)
        self._outputs, self._constants = frozenset(outputs), frozenset(constants)
        self._readers: dict[str, list[Any]] = {}
        for node in nodes:
            for name in node.inputs:
                self._readers.setdefault(name, []).append(node)
        self.mixed = self._mixed(nodes)

    def ladder(self, spec: QuantSpec) -> tuple[tuple[str, Widths], ...]:
        """Widths with their names, the narrowest first; each holds all that the one before it holds."""
        presets = {"8": frozenset[str](), "mixed": self.mixed, "16": self.every}
        heavy = self.every if spec.weights == 16 else frozenset[str]()
        bits = 16 if spec.weights == 16 else 8
        chosen = presets if spec.width == "auto" else {spec.width: presets[spec.width]}
        rungs = [(f"{name} / {bits}", Widths(wide, heavy)) for name, wide in chosen.items()]
        if spec.width == "auto" and spec.weights == "auto":
            rungs.append(("16 / 16", Widths(self.every, self.every)))
        return tuple(rungs)

    def fine(self) -> tuple[str, Widths]:
        """As close to float32 as the bounds allow, for classical models."""
        return f"{FINE} / {FINE}", Widths(self.every, self.every, FINE)

    def _mixed(self, nodes: Sequence[Any]) -> frozenset[str]:
        """From the end to the beginning: what moves a tensor on is decided before the tensor."""
        found = set(self._outputs)
        made = [name for node in reversed(nodes) for name in node.outputs]
        for name in (*made, *self.every.difference(made)):
            if any(self._needs(node, found) for node in self._readers.get(name, [])):
                found.add(name)
        return frozenset(found & self.every | self._outputs)

    def _needs(self, node: Any, found: set[str]) -> bool:
        if node.kind in TRANSPARENT:
            return any(name in found for name in node.outputs)
        adds_constant = node.kind in ("Add", "Sub", "Div") and any(name in self._constants for name in node.inputs)
        return node.kind in WIDE_CONSUMERS and not adds_constant
