# SPDX-License-Identifier: MIT OR Apache-2.0
"""Einsum becomes sums, transpositions and one MatMul for each operand after the first."""

from __future__ import annotations

import string
from dataclasses import dataclass
from math import prod

import onnx

from verifiable_ml.frontend.draft import Draft
from verifiable_ml.frontend.graph import Index, Replacement, Rewrite, attributes, rewrite_each

NAME = "plain_einsum"


@dataclass(frozen=True)
class Labelled:
    """A tensor with a letter for each axis."""

    name: str
    letters: str
    sizes: dict[str, int]

    def shape(self, letters: str) -> list[int]:
        """Extents of these letters."""
        return [self.sizes[letter] for letter in letters]


def apply(model: onnx.ModelProto) -> tuple[onnx.ModelProto, list[Rewrite]]:
    """A model without Einsum. Source: ONNX Einsum-12. A letter that stands twice in one operand takes its diagonal first."""
    return rewrite_each(model, NAME, _einsum)


def _einsum(node: onnx.NodeProto, index: Index) -> Replacement | None:
    shapes = [index.static_shape(name) for name in node.input]
    if node.op_type != "Einsum" or node.domain or any(shape is None for shape in shapes):
        return None
    read = _read(str(attributes(node).get("equation", "")), [shape for shape in shapes if shape is not None])
    if read is None:
        return None
    terms, result = read
    if len(terms) == 1 and len({*terms[0]}) < len(terms[0]) and {*terms[0]} <= {*result}:
        return None  # a diagonal alone: a matter of moving elements
    draft, operands = Draft(node, index), list[Labelled]()
    for name, term, shape in zip(node.input, terms, shapes, strict=True):
        operands.append(_without_ones(draft, _diagonal(draft, name, term, shape or ())))
    total = operands[0]
    for place, other in enumerate(operands[1:], start=1):
        needed = {*result, *(letter for later in operands[place + 1 :] for letter in later.letters)}
        total = _contracted(draft, total, other, needed)
    total = _summed(draft, total, {*result})
    ordered = "".join(letter for letter in result if letter in total.letters)
    moved = draft.transpose(total.name, [total.letters.index(letter) for letter in ordered])
    return draft.done(draft.reshape(moved, index.static_shape(node.output[0]) or ()))


def _read(equation: str, shapes: list[tuple[int, ...]]) -> tuple[list[str], str] | None:
    """A letter an axis for each operand and for the result; an ellipsis becomes capital letters that are free."""
    left, arrow, right = equation.replace(" ", "").partition("->")
    terms = left.split(",")
    if len(terms) != len(shapes):
        return None
    free = [letter for letter in string.ascii_uppercase + string.ascii_lowercase if letter not in equation]
    most = max((len(s) - len(t) + 3 for t, s in zip(terms, shapes, strict=True) if "..." in t), default=0)
    dots = "".join(free[:most])
    full = [t.replace("...", dots[most - (len(s) - len(t) + 3) :]) for t, s in zip(terms, shapes, strict=True)]
    if not arrow:
        letters = left.replace(",", "").replace(".", "")
        right = "..." * bool(most) + "".join(sorted(letter for letter in {*letters} if letters.count(letter) == 1))
    if any(len(t) != len(s) for t, s in zip(full, shapes, strict=True)):
        return None
    return full, right.replace("...", dots)


def _diagonal(draft: Draft, name: str, term: str, shape: tuple[int, ...]) -> Labelled:
    letters = "".join(dict.fromkeys(term))
    if letters != term:
        name = draft.add("Einsum", name, equation=f"{term}->{letters}")
    return Labelled(name, letters, dict(zip(term, shape, strict=True)))


def _without_ones(draft: Draft, x: Labelled) -> Labelled:
    """An extent of 1 broadcasts, whatever the other operand has there."""
    letters = "".join(letter for letter in x.letters if x.sizes[letter] > 1)
    return x if letters == x.letters else Labelled(draft.reshape(x.name, x.shape(letters)), letters, x.sizes)


def _summed(draft: Draft, x: Labelled, needed: set[str]) -> Labelled:
    axes = [axis for axis, letter in enumerate(x.letters) if letter not in needed]
    if not axes:
        return x
    kept = "".join(letter for letter in x.letters if letter in needed)
    return Labelled(draft.add("ReduceSum", x.name, axes, keepdims=0), kept, x.sizes)


def _contracted(draft: Draft, x: Labelled, y: Labelled, needed: set[str]) -> Labelled:
    """[batch, rows, terms] times [batch, terms, columns]."""
    x, y = _summed(draft, x, needed | {*y.letters}), _summed(draft, y, needed | {*x.letters})
    both = [letter for letter in x.letters if letter in y.letters]
    batch, terms = ("".join(c for c in both if (c in needed) == kept) for kept in (True, False))
    rows, columns = ("".join(c for c in one.letters if c not in both) for one in (x, y))
    sizes = x.sizes | {letter: size for letter, size in y.sizes.items() if size > 1 or letter not in x.sizes}
    left = _arranged(draft, x, batch, rows, terms)
    right = _arranged(draft, y, batch, terms, columns)
    product, letters = draft.add("MatMul", left, right), batch + rows + columns
    return Labelled(draft.reshape(product, [sizes[letter] for letter in letters]), letters, sizes)


def _arranged(draft: Draft, x: Labelled, batch: str, first: str, second: str) -> str:
    moved = draft.transpose(x.name, [x.letters.index(letter) for letter in batch + first + second])
    return draft.reshape(moved, (*x.shape(batch), prod(x.shape(first)), prod(x.shape(second))))
