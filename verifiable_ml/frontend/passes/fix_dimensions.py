# SPDX-License-Identifier: MIT OR Apache-2.0
"""Give every input the shape that its samples have, or batch 1 where only the leading dimension is open."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import onnx
from onnx import TensorProto

from verifiable_ml.errors import InvalidInput, UnsupportedModel
from verifiable_ml.frontend.graph import Index, Rewrite

NAME = "fix_dimensions"
MAX_ELEMENTS = 2**24
NUMBERS = frozenset(
    {
        TensorProto.FLOAT,
        TensorProto.FLOAT16,
        TensorProto.DOUBLE,
        TensorProto.BOOL,
        TensorProto.UINT8,
        TensorProto.INT8,
        TensorProto.UINT16,
        TensorProto.INT16,
        TensorProto.UINT32,
        TensorProto.INT32,
        TensorProto.UINT64,
        TensorProto.INT64,
    }
)


def apply(model: onnx.ModelProto, shapes: Mapping[str, tuple[int, ...]]) -> tuple[onnx.ModelProto, list[Rewrite]]:
    """shapes: input name -> shape; names that are absent keep what the model says.

    Raises InvalidInput for a shape that contradicts the model, or a dimension that nothing fixes.
    """
    graph, log = model.graph, list[Rewrite]()
    weights = {tensor.name for tensor in graph.initializer}
    values = [value for value in graph.input if value.name not in weights]
    for value in values:
        before = _declared(value)
        after = _fixed(value.name, before, shapes.get(value.name))
        if before != after:
            _write(value, after)
            log.append(Rewrite(NAME, value.name, str(list(before or ())), str(list(after))))
    del graph.input[:]
    graph.input.extend(values)  # an initialiser that is also an input is a default that nobody overrides
    declared = {value.name: _shape_of(value) for value in graph.output}
    _forget_inferred(graph)
    _write_outputs(model, declared)
    return model, log


def _declared(value: onnx.ValueInfoProto) -> tuple[int | str, ...] | None:
    tensor = value.type.tensor_type
    if tensor.elem_type not in NUMBERS:
        raise UnsupportedModel(
            thing=f"input {value.name!r}", reason="is not a tensor of numbers", hint="export tensors of numbers only"
        )
    if not tensor.HasField("shape"):
        return None
    return tuple(d.dim_value if d.HasField("dim_value") and d.dim_value >= 0 else d.dim_param or "?" for d in tensor.shape.dim)


def _fixed(name: str, declared: tuple[int | str, ...] | None, sampled: tuple[int, ...] | None) -> tuple[int, ...]:
    if sampled is not None:
        fits = declared is None or (
            len(declared) == len(sampled) and all(isinstance(d, str) or d == s for d, s in zip(declared, sampled, strict=True))
        )
        if not fits:
            raise InvalidInput(
                thing=f"samples of input {name!r}",
                reason=f"have shape {list(sampled)}, the model takes {list(declared or ())}",
                hint="give samples as the model takes them, batch dimension included",
            )
        shape = sampled
    else:
        opened = [i for i, d in enumerate(declared or ()) if isinstance(d, str)]
        if declared is None or opened not in ([], [0]):
            raise InvalidInput(
                thing=f"input {name!r}",
                reason=f"its dimensions {list(declared or '?')} are not fixed",
                hint="give samples: their shapes fix every dimension",
            )
        shape = tuple(1 if isinstance(d, str) else d for d in declared)
    elements = 1
    for size in shape:
        elements *= size
    if not 0 < elements <= MAX_ELEMENTS:
        raise InvalidInput(thing=f"input {name!r}", reason=f"has {elements} elements", hint=f"1 to {MAX_ELEMENTS} are possible")
    return shape


def _write(value: onnx.ValueInfoProto, shape: tuple[int, ...]) -> None:
    tensor = value.type.tensor_type
    tensor.shape.SetInParent()
    del tensor.shape.dim[:]
    tensor.shape.dim.extend(onnx.TensorShapeProto.Dimension(dim_value=size) for size in shape)


def _forget_inferred(graph: onnx.GraphProto) -> None:
    """What is written in the file about shapes may be wrong, or contradict the fixed dimensions: it is inferred again."""
    del graph.value_info[:]
    for value in graph.output:
        if value.type.HasField("tensor_type"):
            value.type.tensor_type.ClearField("shape")


def write_outputs(model: onnx.ModelProto, answers: Sequence[Sequence[np.ndarray]]) -> None:
    """The shapes that the outputs have, which for some operators are others than what onnx infers."""
    for value, *arrays in zip(model.graph.output, *answers, strict=True):
        if value.type.HasField("tensor_type") and len({array.shape for array in arrays}) == 1:
            _write(value, arrays[0].shape)


def _shape_of(value: onnx.ValueInfoProto) -> tuple[int, ...] | None:
    tensor = value.type.tensor_type
    static = tensor.HasField("shape") and all(d.HasField("dim_value") for d in tensor.shape.dim)
    return tuple(d.dim_value for d in tensor.shape.dim) if static else None


def _write_outputs(model: onnx.ModelProto, declared: Mapping[str, tuple[int, ...] | None]) -> None:
    """As inferred, else as declared."""
    index = Index(model)
    for value in model.graph.output:
        shape = index.static_shape(value.name) if index.shape(value.name) is not None else declared[value.name]
        if shape is not None and value.type.HasField("tensor_type"):
            _write(value, shape)
