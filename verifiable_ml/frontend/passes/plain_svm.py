# SPDX-License-Identifier: MIT OR Apache-2.0
"""SVMRegressor and SVMClassifier by standard operators: a product with the support vectors, the kernel, a product with
coefficients.

k(x, s) is x·s (LINEAR), (gamma x·s + c)^d (POLY), tanh(gamma x·s + c) (SIGMOID) or exp(-gamma |x - s|²) (RBF). One pair of
classes has one sum; each pair votes for one of its two classes. Source: ONNX operator specification, domain ai.onnx.ml; where it
is silent, what onnxruntime does (core/providers/cpu/ml/svmclassifier.cc).
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto

from verifiable_ml.frontend.draft import Draft
from verifiable_ml.frontend.graph import Index, Replacement, Rewrite, attributes, rewrite_each
from verifiable_ml.frontend.scores import TRANSFORMS, label, pair, transformed
from verifiable_ml.frontend.trees import DOMAIN

NAME = "plain_svm"
NEGLIGIBLE = -20.0
"""exp of it is a tenth of float32's last digit of 1."""
MOST_DEGREE = 8


@dataclass(frozen=True, eq=False)
class Machine:
    """Support vectors [M, F], coefficients of the sums [P, M], what is added to each sum [P], and the kernel."""

    vectors: npt.NDArray[np.float32]
    coefficients: npt.NDArray[np.float64]
    rho: npt.NDArray[np.float32]
    kind: str
    gamma: float
    constant: float
    degree: int


def apply(model: onnx.ModelProto) -> tuple[onnx.ModelProto, list[Rewrite]]:
    """A model without support vector machines."""
    return rewrite_each(model, NAME, _regressor, _classifier)


def _machine(node: onnx.NodeProto, index: Index, count: int, coefficients: npt.NDArray[np.float64]) -> Machine | None:
    """With `count` support vectors; without any, the coefficients are the vectors."""
    options, shape = attributes(node), index.static_shape(node.input[0])
    given = np.array(options.get("support_vectors", ()), np.float32)
    kind, parameters = options.get("kernel_type", "LINEAR"), [*options.get("kernel_params", ()), 0.0, 0.0, 0.0][:3]
    if shape is None or len(shape) != 2 or kind not in ("LINEAR", "POLY", "SIGMOID", "RBF") or given.size != count * shape[1]:
        return None
    degree, rho = int(parameters[2]), np.array(options.get("rho", ()), np.float32)
    if len(rho) != len(coefficients) or (kind == "POLY" and (degree != parameters[2] or not 1 <= degree <= MOST_DEGREE)):
        return None
    return Machine(given.reshape(count, -1), coefficients, rho, kind, float(parameters[0]), float(parameters[1]), degree)


def _sums(draft: Draft, x: str, index: Index, machine: Machine) -> str:
    """[N, P]"""
    x = x if index.element_type(x) == TensorProto.FLOAT else draft.add("Cast", x, to=TensorProto.FLOAT)
    vectors = machine.vectors.astype(np.float64)
    if machine.kind == "LINEAR":
        return draft.add("Add", draft.add("MatMul", x, (machine.coefficients @ vectors).T), machine.rho)
    kernel = _radial(draft, x, vectors, machine.gamma) if machine.kind == "RBF" else _of_product(draft, x, vectors, machine)
    return draft.add("Add", draft.add("MatMul", kernel, machine.coefficients.T), machine.rho)


def _radial(draft: Draft, x: str, vectors: npt.NDArray[np.float64], gamma: float) -> str:
    """Distances about the middle of the vectors: |x - s|² = |x|² - 2 x·s + |s|² then cancels least."""
    middle = vectors.mean(axis=0).astype(np.float32)
    away = vectors - middle
    moved = draft.add("Sub", x, middle)
    product = draft.add("Add", draft.add("MatMul", moved, 2 * gamma * away.T), -gamma * (away**2).sum(axis=1))
    square = draft.add("MatMul", draft.add("Mul", moved, moved), np.full((vectors.shape[1], 1), gamma))
    return draft.add("Exp", draft.add("Clip", draft.add("Sub", product, square), NEGLIGIBLE, 0.0))


def _of_product(draft: Draft, x: str, vectors: npt.NDArray[np.float64], machine: Machine) -> str:
    inner = draft.add("Add", draft.add("MatMul", x, machine.gamma * vectors.T), np.full(len(vectors), machine.constant))
    if machine.kind == "SIGMOID":
        return draft.add("Tanh", inner)
    power = inner
    for _ in range(machine.degree - 1):
        power = draft.add("Mul", power, inner)
    return power


def _regressor(node: onnx.NodeProto, index: Index) -> Replacement | None:
    """The sum; of a one-class machine 1 where it is positive, else -1."""
    if node.domain != DOMAIN or node.op_type != "SVMRegressor":
        return None
    options, draft = attributes(node), Draft(node, index)
    coefficients = np.array(options.get("coefficients", ()), np.float64)
    count = int(options.get("n_supports", 0))
    machine = _machine(node, index, count, coefficients.reshape(1, -1)) if count and len(coefficients) == count else None
    if machine is None or options.get("post_transform", "NONE") not in TRANSFORMS:
        return None
    sums = _sums(draft, node.input[0], index, machine)
    if options.get("one_class", 0):
        inside = draft.add("Cast", draft.add("Greater", sums, 0.0), to=TensorProto.FLOAT)
        sums = draft.add("Sub", draft.add("Mul", inside, 2.0), 1.0)
    return draft.done(sums)


def _classifier(node: onnx.NodeProto, index: Index) -> Replacement | None:
    """Two classes: by the sign of their sum. More: by votes, the first of the greatest number."""
    if node.domain != DOMAIN or node.op_type != "SVMClassifier":
        return None
    options, draft = attributes(node), Draft(node, index)
    kind, labels = options.get("post_transform", "NONE"), list(options.get("classlabels_ints", ()))
    each, found = list(options.get("vectors_per_class", ())), np.array(options.get("coefficients", ()), np.float64)
    if len(each) != len(labels) or len(labels) < 2 or kind not in TRANSFORMS or found.size != sum(each) * (len(labels) - 1):
        return None
    machine = _machine(node, index, sum(each), _by_pairs(found.reshape(len(labels) - 1, -1), each))
    if machine is None or len(options.get("prob_a", ())):
        return None  # Platt's probabilities come from a search that stops early
    sums = _sums(draft, node.input[0], index, machine)
    if len(labels) == 2:
        results = label(draft, pair(draft, draft.add("Neg", sums), 0.0), labels), _two_scores(draft, sums, kind)
    else:
        results = label(draft, _votes(draft, sums, len(labels)), labels), transformed(draft, sums, kind)
    named = [*node.output, ""][:2]
    return draft.done(*(r for r, name in zip(results, named, strict=True) if name))


def _by_pairs(given: npt.NDArray[np.float64], each: list[int]) -> npt.NDArray[np.float64]:
    """Of [C - 1, M] coefficients those of each pair i < j: row j - 1 of the vectors of i, row i of those of j."""
    ends = np.cumsum([0, *each])
    rows = np.zeros((len(each) * (len(each) - 1) // 2, given.shape[1]))
    for row, (i, j) in zip(rows, combinations(range(len(each)), 2), strict=True):
        row[ends[i] : ends[i + 1]] = given[j - 1, ends[i] : ends[i + 1]]
        row[ends[j] : ends[j + 1]] = given[i, ends[j] : ends[j + 1]]
    return rows


def _votes(draft: Draft, sums: str, classes: int) -> str:
    """[N, C]: a positive sum is a vote for the first of its pair, else the second has it."""
    pairs = list(combinations(range(classes), 2))
    counts, start = np.zeros((len(pairs), classes)), np.zeros(classes)
    for place, (i, j) in enumerate(pairs):
        counts[place, i], counts[place, j] = 1, -1
        start[j] += 1
    won = draft.add("Cast", draft.add("Greater", sums, 0.0), to=TensorProto.FLOAT)
    return draft.add("Add", draft.add("MatMul", won, counts), start)


def _two_scores(draft: Draft, sums: str, kind: str) -> str:
    if kind == "LOGISTIC":
        return draft.add("Sigmoid", pair(draft, sums, 0.0))
    return pair(draft, sums, 0.0 if kind == "NONE" else 1.0)
