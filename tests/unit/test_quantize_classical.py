# SPDX-License-Identifier: MIT OR Apache-2.0
"""Models of scikit-learn, through skl2onnx: every decision is onnxruntime's, every refusal has a way out."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper

import verifiable_ml as vml
from verifiable_ml.errors import UnsupportedModel

pytest.importorskip("skl2onnx", reason="pip install verifiable-ml[sklearn]")
from verifiable_ml.bench.classical import decisions
from verifiable_ml.bench.families import FAMILIES, exported

APPROXIMATE = {"clusters"}
"""Its operators are of the standard domain: what decides is the threshold."""


def both(made: onnx.ModelProto, x: np.ndarray, **options: Any) -> tuple[list[Any], list[Any]]:
    """Answers row by row: of onnxruntime, and of the program that is compiled on every other row."""
    program = vml.compile(made, [row[None] for row in x[::2][:120]], **options)
    session = onnxruntime.InferenceSession(made.SerializeToString(), providers=["CPUExecutionProvider"])
    given = made.graph.input[0].name
    return [session.run(None, {given: row[None]}) for row in x], [program.predict(row[None], saturate=True) for row in x]


@pytest.mark.parametrize("case", FAMILIES)
def test_model_of_scikit_learn_decides_as_onnxruntime_on_every_row(case: str) -> None:
    wanted, found = both(*exported(case))
    first = np.concatenate([np.ravel(row[0]) for row in wanted])
    ours = np.concatenate([np.ravel(row[0]) for row in found])
    if first.dtype.kind == "f":
        assert np.abs(ours - first).max() < 1e-3 * (first.max() - first.min())
    else:
        assert np.mean(ours == decisions(first)) >= (0.99 if case in APPROXIMATE else 1)


def node(kind: str, options: dict[str, Any], outputs: tuple[str, ...] = ("y",)) -> onnx.ModelProto:
    """One node of ai.onnx.ml on x [1, 3]."""
    types = {"label": (TensorProto.INT64, ["N"]), "scores": (TensorProto.FLOAT, ["N", "C"]), "y": (TensorProto.FLOAT, ["N", "C"])}
    graph = helper.make_graph(
        [helper.make_node(kind, ["x"], list(outputs), domain="ai.onnx.ml", **options)],
        "one",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 3])],
        [helper.make_tensor_value_info(name, *types[name]) for name in outputs],
    )
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid("ai.onnx.ml", 3)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=9)


LINEAR = {"coefficients": [1.0, -2.0, 0.5], "intercepts": [0.1]}
ROWS = {"coefficients": [1.0, -2.0, 0.5, 0.3, 0.2, -0.7, -1.0, 1.0, 0.1], "intercepts": [0.1, -0.2, 0.3]}
VECTORS = np.random.default_rng(3).normal(size=15).astype(np.float32).tolist()
MACHINE = {"support_vectors": VECTORS, "kernel_params": [0.4, 0.2, 3.0]}
TWO = {"coefficients": [0.5, 0.8, -0.9, -0.2, -0.2], "rho": [0.05], "vectors_per_class": [2, 3], "classlabels_ints": [4, 9]}
THREE = {
    "coefficients": [0.5, 0.8, -0.9, -0.2, -0.2, 0.3, -0.3, 0.6, -0.7, 0.1], "rho": [0.05, -0.02, 0.1],
    "vectors_per_class": [2, 1, 2], "classlabels_ints": [4, 9, 2],
}  # fmt: skip
LABELLED = ("label", "scores")
NODES = {
    **{f"LinearClassifier, one row, {post}":
       ("LinearClassifier", {**LINEAR, "classlabels_ints": [7, 9], "post_transform": post})
       for post in ("NONE", "LOGISTIC", "SOFTMAX")},
    **{f"LinearClassifier, three rows, {post}":
       ("LinearClassifier", {**ROWS, "classlabels_ints": [7, 9, 3], "post_transform": post})
       for post in ("NONE", "LOGISTIC", "SOFTMAX", "SOFTMAX_ZERO")},
    "LinearRegressor": ("LinearRegressor", {**ROWS, "targets": 3}),
    "LinearRegressor, LOGISTIC": ("LinearRegressor", {**ROWS, "targets": 3, "post_transform": "LOGISTIC"}),
    **{f"SVMClassifier, {kind}": ("SVMClassifier", {**MACHINE, **THREE, "kernel_type": kind})
       for kind in ("LINEAR", "POLY", "SIGMOID", "RBF")},
    **{f"SVMClassifier of two, {post}": ("SVMClassifier", {**MACHINE, **TWO, "kernel_type": "RBF", "post_transform": post})
       for post in ("NONE", "LOGISTIC", "SOFTMAX")},
    "SVMRegressor": ("SVMRegressor", {**MACHINE, "coefficients": [0.5, 0.8, -0.9, -0.2, -0.2], "n_supports": 5, "rho": [0.3],
                                      "kernel_type": "POLY"}),
    "Scaler": ("Scaler", {"offset": [0.1, 0.2, 0.3], "scale": [2.0, -3.0, 0.5]}),
    "Scaler of one number": ("Scaler", {"offset": [0.1], "scale": [2.0]}),
    "Normalizer L1": ("Normalizer", {"norm": "L1"}),
    "Normalizer L2": ("Normalizer", {"norm": "L2"}),
    "Imputer of NaN": ("Imputer", {"imputed_value_floats": [9.0], "replaced_value_float": float("nan")}),
    "Binarizer": ("Binarizer", {"threshold": 0.25}),
    "FeatureVectorizer": ("FeatureVectorizer", {"inputdimensions": [3]}),
    "LabelEncoder": ("LabelEncoder", {"keys_floats": [0.0, 1.0], "values_floats": [5.0, -2.0], "default_float": 0.5}),
}  # fmt: skip


@pytest.mark.parametrize("case", NODES)
def test_node_of_ai_onnx_ml_answers_as_onnxruntime(case: str) -> None:
    kind, options = NODES[case]
    labelled = kind.endswith("Classifier")
    made = node(kind, dict(options), LABELLED if labelled else ("y",))
    x = np.random.default_rng(1).normal(size=(160, 3)).astype(np.float32)
    x = np.rint(x) if kind == "LabelEncoder" else x
    wanted, found = both(made, x, threshold=-1)
    for place in range(len(wanted[0])):
        theirs, ours = (np.concatenate([np.atleast_2d(row[place]) for row in rows]) for rows in (wanted, found))
        if place == 0 and labelled:
            assert np.array_equal(theirs, ours)
        assert np.abs(theirs - ours).max() < 0.02 * max(np.abs(theirs).max(), 1)


REFUSED = {
    "a regressor with a PROBIT": ("LinearRegressor", {**ROWS, "targets": 3, "post_transform": "PROBIT"}, ("y",)),
    "coefficients of another number": ("LinearClassifier", {**LINEAR, "classlabels_ints": [1, 2, 3]}, LABELLED),
    "Platt's probabilities": ("SVMClassifier", {**MACHINE, **TWO, "prob_a": [1.0], "prob_b": [0.0]}, LABELLED),
    "coupled probabilities": ("SVMClassifier", {**MACHINE, **THREE, "prob_a": [1.0] * 3, "prob_b": [0.0] * 3}, LABELLED),
    "a one-hot encoding of texts": ("OneHotEncoder", {"cats_strings": ["a", "b"]}, ("y",)),
}


@pytest.mark.parametrize("case", REFUSED)
def test_node_of_ai_onnx_ml_out_of_reach_is_refused_with_a_way_out(case: str) -> None:
    kind, options, outputs = REFUSED[case]
    with pytest.raises(UnsupportedModel) as caught:
        vml.compile(node(kind, dict(options), outputs), [np.ones((1, 3), np.float32)] * 5)
    assert caught.value.reason and caught.value.hint
