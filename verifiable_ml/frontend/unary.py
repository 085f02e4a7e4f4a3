# SPDX-License-Identifier: MIT OR Apache-2.0
"""The unary functions of ONNX: a row each. What has a row here may stand in a prepared model, and becomes a table of integers.

Source: ONNX operator specification, the function of each name; `get(attribute, default)` reads the node.
"""

from __future__ import annotations

from collections.abc import Callable
from math import erf, pi, sqrt
from typing import Any

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
Attribute = Callable[[str, Any], Any]
Function = Callable[[FloatArray, Attribute], FloatArray]

_erf = np.vectorize(erf, otypes=[np.float64])


def _sigmoid(x: FloatArray) -> FloatArray:
    return np.asarray(1 / (1 + np.exp(-x)))


def _softplus(x: FloatArray) -> FloatArray:
    return np.asarray(np.logaddexp(0.0, x))


def _elu(x: FloatArray, alpha: float, slope: float = 1.0) -> FloatArray:
    return np.asarray(np.where(x > 0, x, alpha * np.expm1(np.minimum(x, 0) / slope)))


def _gelu(x: FloatArray, get: Attribute) -> FloatArray:
    if get("approximate", b"none") == b"tanh":
        share: FloatArray = np.tanh(sqrt(2 / pi) * (x + 0.044715 * x**3))
    else:
        share = _erf(x / sqrt(2))
    return 0.5 * x * (1 + share)


def _selu(x: FloatArray, get: Attribute) -> FloatArray:
    return float(get("gamma", 1.05070102214813232421875)) * _elu(x, float(get("alpha", 1.67326319217681884765625)))


def _shrink(x: FloatArray, get: Attribute) -> FloatArray:
    bias, reach = float(get("bias", 0.0)), float(get("lambd", 0.5))
    return np.asarray(np.where(x < -reach, x + bias, np.where(x > reach, x - bias, 0.0)))


def _hard_sigmoid(x: FloatArray, get: Attribute) -> FloatArray:
    return np.asarray(np.clip(float(get("alpha", 0.2)) * x + float(get("beta", 0.5)), 0, 1))


BREAKS: dict[str, Function] = {
    "Cast": lambda x, _: np.rint(x),
    "Ceil": lambda x, _: np.rint(x),
    "Floor": lambda x, _: np.rint(x),
    "Round": lambda x, _: np.rint(2 * x) / 2,
    "Shrink": lambda x, get: np.copysign(float(get("lambd", 0.5)), x),
    "ThresholdedRelu": lambda x, get: np.full_like(x, float(get("alpha", 1.0))),
}
"""Functions that jump: the place nearest to x where they do. What was exactly there before it was quantised is there again."""
POLES: dict[str, Function] = {
    "Tan": lambda x, _: (np.floor(x / pi) + 0.5) * pi,
}
"""Functions without a bound: the pole nearest to x. Where x can be on either side, no range of the result holds."""
UNARY: dict[str, Function] = {
    "Abs": lambda x, _: np.abs(x),
    "Acos": lambda x, _: np.arccos(x),
    "Acosh": lambda x, _: np.arccosh(x),
    "Asin": lambda x, _: np.arcsin(x),
    "Asinh": lambda x, _: np.arcsinh(x),
    "Atan": lambda x, _: np.arctan(x),
    "Atanh": lambda x, _: np.arctanh(x),
    "Ceil": lambda x, _: np.ceil(x),
    "Celu": lambda x, get: _elu(x, float(get("alpha", 1.0)), float(get("alpha", 1.0))),
    "Cos": lambda x, _: np.cos(x),
    "Cosh": lambda x, _: np.cosh(x),
    "Elu": lambda x, get: _elu(x, float(get("alpha", 1.0))),
    "Erf": lambda x, _: _erf(x),
    "Exp": lambda x, _: np.exp(x),
    "Floor": lambda x, _: np.floor(x),
    "Gelu": _gelu,
    "HardSigmoid": _hard_sigmoid,
    "HardSwish": lambda x, _: x * np.clip(x / 6 + 0.5, 0, 1),
    "LeakyRelu": lambda x, get: np.where(x < 0, float(get("alpha", 0.01)) * x, x),
    "Log": lambda x, _: np.log(x),
    "Mish": lambda x, _: x * np.tanh(_softplus(x)),
    "Reciprocal": lambda x, _: 1 / x,
    "Round": lambda x, _: np.rint(x),
    "Selu": _selu,
    "Shrink": _shrink,
    "Sigmoid": lambda x, _: _sigmoid(x),
    "Sign": lambda x, _: np.sign(x),
    "Sin": lambda x, _: np.sin(x),
    "Sinh": lambda x, _: np.sinh(x),
    "Softplus": lambda x, _: _softplus(x),
    "Softsign": lambda x, _: x / (1 + np.abs(x)),
    "Sqrt": lambda x, _: np.sqrt(x),
    "Tan": lambda x, _: np.tan(x),
    "Tanh": lambda x, _: np.tanh(x),
    "ThresholdedRelu": lambda x, get: np.where(x > float(get("alpha", 1.0)), x, 0.0),
}
