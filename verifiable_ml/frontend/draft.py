# SPDX-License-Identifier: MIT OR Apache-2.0
"""A Replacement under construction: nodes and constants that stand where one node stood, with names that nobody has yet."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import onnx

from verifiable_ml.frontend.graph import Index, Replacement, make

Operand = str | np.ndarray | float | Sequence[int]


class Draft:
    """Nodes in the place of `node`; each call adds one and answers with the name of its output."""

    def __init__(self, node: onnx.NodeProto, index: Index) -> None:
        self._node, self._index = node, index
        self._nodes: list[onnx.NodeProto] = []
        self._constants: dict[str, np.ndarray] = {}

    def add(self, kind: str, *operands: Operand, **options: Any) -> str:
        """One node. Operands are names, arrays (float64 becomes float32), numbers (float32) or lists (int64)."""
        names = tuple(operand if isinstance(operand, str) else self.constant(operand) for operand in operands)
        name = self._fresh(kind.lower())
        self._nodes.append(make(kind, names, (name,), self._node, **options))
        return name

    def constant(self, value: np.ndarray | float | Sequence[int]) -> str:
        """The name of a constant."""
        array = np.asarray(value, np.int64) if isinstance(value, list | tuple) else np.asarray(value)
        name = self._fresh("constant")
        self._constants[name] = array.astype(np.float32) if array.dtype.kind == "f" else array
        return name

    def reshape(self, x: str, shape: Sequence[int]) -> str:
        """X under another shape."""
        return self.add("Reshape", x, list(map(int, shape)))

    def transpose(self, x: str, permutation: Sequence[int]) -> str:
        """X with its axes permuted; x itself if they stay."""
        order = list(map(int, permutation))
        return x if order == sorted(order) else self.add("Transpose", x, perm=order)

    def done(self, *results: str, note: str = "") -> Replacement:
        """The Replacement, its results under the names of the node's outputs, in order; "" where an output has no name."""
        renamed: dict[str, str] = {}
        for wanted, found in zip([name for name in self._node.output if name], results, strict=False):
            made = any(found in node.output for node in self._nodes)
            if not made or found in renamed:
                found = self.add("Identity", found)
            renamed[found] = wanted
        for node in self._nodes:
            for field in (node.input, node.output):
                for place, name in enumerate(field):
                    field[place] = renamed.get(name, name)
        return Replacement(nodes=tuple(self._nodes), constants=self._constants, note=note)

    def _fresh(self, part: str) -> str:
        base, index = f"{self._node.output[0]}/{part}", self._index
        number, name = 1, base
        while name in index.producer or name in index.initialisers or name in self._constants or self._has(name):
            number, name = number + 1, f"{base}{number}"
        return name

    def _has(self, name: str) -> bool:
        return any(name in node.output for node in self._nodes)
