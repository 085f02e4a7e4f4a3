# SPDX-License-Identifier: MIT OR Apache-2.0
"""Inputs that are settings (a sample rate, a mode) become constants: what they decide is decided when the program is made."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from onnx import numpy_helper

from verifiable_ml.errors import InvalidInput


def fix_inputs(model: onnx.ModelProto, fixed: Mapping[str, Any]) -> onnx.ModelProto:
    """A copy of the model without the inputs named in `fixed`, which hold these values from now on.

    Raises InvalidInput for a name that is no input, or a value that its type or shape does not take.
    """
    made = onnx.ModelProto()
    made.CopyFrom(model)
    given = {value.name: value for value in made.graph.input}
    for name, value in fixed.items():
        if name not in given:
            raise InvalidInput(thing=f"input {name!r}", reason="the model has none of that name", hint=f"one of: {sorted(given)}")
        array = _as_typed(name, value, given[name].type.tensor_type)
        made.graph.input.remove(given[name])
        replaced = [tensor for tensor in made.graph.initializer if tensor.name == name]  # a default
        for tensor in replaced:
            made.graph.initializer.remove(tensor)
        made.graph.initializer.append(numpy_helper.from_array(array, name))
    made.ir_version = max(made.ir_version, 4)  # before, every initialiser is an input
    return made


def without_fixed(samples: Sequence[Any], fixed: Mapping[str, Any]) -> list[Any]:
    """Samples for the inputs that are left. Raises InvalidInput if one says another value than `fixed`."""
    rows = []
    for number, sample in enumerate(samples):
        if isinstance(sample, Mapping):
            for name in fixed.keys() & sample.keys():
                if not np.array_equal(np.ravel(sample[name]), np.ravel(fixed[name])):
                    raise InvalidInput(
                        thing=f"sample {number}, input {name!r}",
                        reason=f"it says {sample[name]!r}, and {fixed[name]!r} is fixed",
                        hint="make one program for each value",
                    )
            sample = {name: value for name, value in sample.items() if name not in fixed}
        rows.append(sample)
    return rows


def _as_typed(name: str, value: Any, kind: onnx.TypeProto.Tensor) -> np.ndarray:
    shape = [d.dim_value if d.dim_value > 0 else None for d in kind.shape.dim] if kind.HasField("shape") else None
    try:
        array = np.asarray(value)
        wanted = onnx.helper.tensor_dtype_to_np_dtype(kind.elem_type)
        typed = array.astype(wanted)
    except (ValueError, TypeError, KeyError, OverflowError) as error:
        reason = f"{value!r} is no value for it: {error}"
        raise InvalidInput(thing=f"input {name!r}", reason=reason, hint="give numbers") from error
    if shape is not None and array.size == 1 and all(size == 1 for size in shape):
        typed = typed.reshape([1] * len(shape))  # 16000 for [1]
    fits = shape is None or (len(shape) == typed.ndim and all(a in (None, b) for a, b in zip(shape, typed.shape, strict=True)))
    if not fits or not np.array_equal(typed.astype(np.float64).ravel(), array.astype(np.float64).ravel()):
        raise InvalidInput(
            thing=f"input {name!r}",
            reason=f"{value!r} does not fit {wanted} of shape {shape}",
            hint="give a value of the input's type and shape",
        )
    return typed
