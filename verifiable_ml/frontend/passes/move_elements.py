# SPDX-License-Identifier: MIT OR Apache-2.0
"""Operators that only move elements, by constant indices, become Gather along axes, or one Gather of all elements.

Where each element goes is learnt from the operator itself: it is run on the numbers of its operand's elements, and the answer
says for each place of the output which element stands there. So one pass covers every operator that moves.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import onnx

from verifiable_ml.frontend.draft import Draft
from verifiable_ml.frontend.evaluate import evaluate
from verifiable_ml.frontend.graph import Index, Replacement, Rewrite, attributes, rewrite_each

NAME = "move_elements"
MOST = 1 << 24  # float32 counts so far
Positions = tuple[int, ...]


def apply(model: onnx.ModelProto) -> tuple[onnx.ModelProto, list[Rewrite]]:
    """A model in which the operators of MOVERS are Gathers, where all that is not moved is constant."""
    return rewrite_each(model, NAME, _depth_and_space, _moved)


def _always(*positions: int) -> Callable[[onnx.NodeProto, Index], Positions]:
    return lambda node, index: positions


def _gather(node: onnx.NodeProto, index: Index) -> Positions:
    """Indices that are not one row."""
    indices = index.operand(node, 1)
    return (0,) if indices is not None and (indices.ndim != 1 or (indices < 0).any()) else ()


def _pad(node: onnx.NodeProto, index: Index) -> Positions:
    options, pads = attributes(node), index.operand(node, 1)
    return (0,) if options.get("mode", "constant") != "constant" or (pads is not None and (pads < 0).any()) else ()


def _resize(node: onnx.NodeProto, index: Index) -> Positions:
    return (0,) if attributes(node).get("mode", "nearest") == "nearest" else ()


def _scatter(node: onnx.NodeProto, index: Index) -> Positions:
    return (0, 2) if attributes(node).get("reduction", "none") == "none" else ()


def _einsum(node: onnx.NodeProto, index: Index) -> Positions:
    """A view of one operand's diagonal: no letter is summed."""
    left, _, right = str(attributes(node).get("equation", "")).replace(" ", "").partition("->")
    letters = {*left} - {"."}
    return (0,) if len(node.input) == 1 and len(letters) < len(left.replace(".", "")) and letters <= {*right} else ()


MOVERS: dict[str, Callable[[onnx.NodeProto, Index], Positions]] = {
    "CenterCropPad": _always(0),
    "Compress": _always(0),
    "Einsum": _einsum,
    "Expand": _always(0),
    "Gather": _gather,
    "GatherElements": _always(0),
    "GatherND": _always(0),
    "Pad": _pad,
    "Resize": _resize,
    "ReverseSequence": _always(0),
    "Scatter": _always(0, 2),
    "ScatterElements": _scatter,
    "ScatterND": _scatter,
    "TensorScatter": _always(0, 1),
    "Tile": _always(0),
    "Trilu": _always(0),
    "Upsample": _resize,
}
"""Which operands are moved; none where this node does more. All others must be constant."""


def _depth_and_space(node: onnx.NodeProto, index: Index) -> Replacement | None:
    """Both are a transposition between two reshapes. Source: ONNX DepthToSpace-13, SpaceToDepth-13."""
    shape = index.static_shape(node.input[0]) if node.op_type in ("DepthToSpace", "SpaceToDepth") and not node.domain else None
    if shape is None or len(shape) != 4:
        return None
    (n, c, h, w), options, draft = shape, attributes(node), Draft(node, index)
    b = int(options["blocksize"])
    crd = options.get("mode", "DCR") == "CRD"
    if node.op_type == "SpaceToDepth":
        order = (0, 1, 3, 5, 2, 4) if crd else (0, 3, 5, 1, 2, 4)
        wide = draft.transpose(draft.reshape(node.input[0], (n, c, h // b, b, w // b, b)), order)
        return draft.done(draft.reshape(wide, (n, c * b * b, h // b, w // b)))
    if crd:
        wide = draft.transpose(draft.reshape(node.input[0], (n, c // (b * b), b, b, h, w)), (0, 1, 4, 2, 5, 3))
    else:
        wide = draft.transpose(draft.reshape(node.input[0], (n, b, b, c // (b * b), h, w)), (0, 3, 4, 1, 5, 2))
    return draft.done(draft.reshape(wide, (n, c // (b * b), h * b, w * b)))


def _moved(node: onnx.NodeProto, index: Index) -> Replacement | None:
    if node.op_type not in MOVERS or node.domain or len([name for name in node.output if name]) > 1:
        return None
    moved = [node.input[place] for place in MOVERS[node.op_type](node, index) if place < len(node.input)]
    fixed = [name for name in node.input if name and name not in moved]
    shapes = [index.static_shape(name) for name in moved]
    if not moved or any(index.constant(name) is None for name in fixed) or any(shape is None for shape in shapes):
        return None
    places = _places(node, index, moved, [shape for shape in shapes if shape is not None])
    if places is None or not places.size:
        return None
    draft = Draft(node, index)
    if len({*moved}) == 1 and (places > 0).all():
        rows = _along_axes(places - 1, shapes[0] or ())
        if rows is not None:
            return draft.done(_gathered(draft, moved[0], shapes[0] or (), rows))
    return draft.done(_picked(draft, index, moved, places))


def _places(node: onnx.NodeProto, index: Index, moved: list[str], shapes: list[tuple[int, ...]]) -> np.ndarray | None:
    """For each place of the output, 1 + the number of the element that stands there, counted over all operands; 0: a zero."""
    sizes = [int(np.prod(shape, dtype=np.int64)) for shape in shapes]
    if sum(sizes) >= MOST or not all(sizes) or len({*moved}) < len(moved):
        return None
    starts = np.cumsum([1, *sizes])
    numbered = {
        name: np.arange(start, start + size, dtype=np.float32).reshape(shape)
        for name, start, size, shape in zip(moved, starts, sizes, shapes, strict=False)
    }
    found = evaluate(_floating(node), index, numbered)
    if (
        found is None
        or not np.array_equal(found, np.rint(found))
        or found.min(initial=0) < 0
        or found.max(initial=0) > sum(sizes)
    ):
        return None
    return found.astype(np.int64)


def _floating(node: onnx.NodeProto) -> onnx.NodeProto:
    """The node without what would mix other values in."""
    if node.op_type != "Pad":
        return node
    plain = onnx.NodeProto()
    plain.CopyFrom(node)
    if len(plain.input) > 2:
        plain.input[2] = ""
    return plain


def _along_axes(places: np.ndarray, shape: tuple[int, ...]) -> list[np.ndarray] | None:
    """For each axis the entries that it reads, where the axes are read independently; else None."""
    if len(shape) != places.ndim:
        return None
    coordinates, rows = np.unravel_index(places, shape), []
    for axis, found in enumerate(coordinates):
        row = np.moveaxis(found, axis, 0).reshape(places.shape[axis], -1)
        if (row != row[:, :1]).any():
            return None
        rows.append(row[:, 0])
    return rows


def _gathered(draft: Draft, x: str, shape: tuple[int, ...], rows: list[np.ndarray]) -> str:
    order = sorted(range(len(shape)), key=lambda axis: len(rows[axis]) / shape[axis])  # what shrinks comes first
    for axis in order:
        if not np.array_equal(rows[axis], np.arange(shape[axis])):
            x = draft.add("Gather", x, rows[axis].astype(np.int64), axis=axis)
    return x


def _picked(draft: Draft, index: Index, moved: list[str], places: np.ndarray) -> str:
    """One Gather of elements, or of rows of as many elements as move together."""
    sizes = [int(np.prod(index.static_shape(name) or (), dtype=np.int64)) for name in moved]
    zeros = bool((places == 0).any())
    block = 1 if zeros else _block(places - 1, sizes)
    parts = [
        draft.reshape(name, (size // block, block) if block > 1 else (size,)) for name, size in zip(moved, sizes, strict=True)
    ]
    if zeros:
        parts = [draft.constant(np.zeros(1, np.float32)), *parts]
    flat = parts[0] if len(parts) == 1 else draft.add("Concat", *parts, axis=0)
    indices = (places if zeros else places - 1).reshape(-1, block)[:, 0] // block
    return draft.reshape(draft.add("Gather", flat, indices, axis=0), places.shape)


def _block(places: np.ndarray, sizes: list[int]) -> int:
    """The largest number of neighbours that move together, and start at a multiple of it."""
    shape = places.shape
    for axis in range(len(shape)):
        block = int(np.prod(shape[axis:]))
        rows = places.reshape(-1, block)
        whole = all(size % block == 0 for size in sizes) and (rows[:, 0] % block == 0).all()
        if whole and (rows == rows[:, :1] + np.arange(block)).all():
            return block
    return 1
