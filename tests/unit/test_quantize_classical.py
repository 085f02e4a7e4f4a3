# SPDX-License-Identifier: MIT OR Apache-2.0
"""Models of scikit-learn, through skl2onnx: every decision is onnxruntime's, every refusal has a way out."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper

import verifiable_ml as vml
from verifiable_ml.errors import UnsupportedModel

pytest.importorskip("skl2onnx", reason="pip install verifiable-ml[sklearn]")
from sklearn import (
    cluster,
    datasets,
    decomposition,
    discriminant_analysis,
    ensemble,
    linear_model,
    naive_bayes,
    neighbors,
    neural_network,
    svm,
    tree,
)
from sklearn import preprocessing as pre
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline

SCALED = pre.StandardScaler
COLUMNS = ColumnTransformer([("a", SCALED(), [0, 1]), ("b", pre.MinMaxScaler(), [3, 2])])
QUICK = {
    "logistic regression": (linear_model.LogisticRegression(max_iter=300), "iris"),
    "logistic regression of two classes": (make_pipeline(SCALED(), linear_model.LogisticRegression()), "breast_cancer"),
    "ridge classifier": (linear_model.RidgeClassifier(), "iris"),
    "perceptron": (make_pipeline(SCALED(), linear_model.Perceptron()), "wine"),
    "stochastic gradient": (linear_model.SGDClassifier(random_state=0), "iris"),
    "ridge": (linear_model.Ridge(), "diabetes"),
    "lasso": (make_pipeline(SCALED(), linear_model.Lasso()), "diabetes"),
    "svc, rbf": (make_pipeline(SCALED(), svm.SVC()), "wine"),
    "svc, rbf, two classes": (make_pipeline(SCALED(), svm.SVC()), "breast_cancer"),
    "svc, poly": (make_pipeline(SCALED(), svm.SVC(kernel="poly")), "wine"),
    "svc, sigmoid": (make_pipeline(SCALED(), svm.SVC(kernel="sigmoid")), "wine"),
    "svc, linear": (svm.SVC(kernel="linear"), "iris"),
    "svr": (make_pipeline(SCALED(), svm.SVR(C=50)), "diabetes"),
    "one-class svm": (make_pipeline(SCALED(), svm.OneClassSVM()), "wine"),
    "decision tree": (tree.DecisionTreeClassifier(random_state=0), "iris"),
    "scaled decision tree": (make_pipeline(SCALED(), tree.DecisionTreeClassifier(random_state=0)), "wine"),
    "random forest": (ensemble.RandomForestClassifier(10, random_state=0), "wine"),
    "random forest of an even number of trees": (ensemble.RandomForestClassifier(10, random_state=0), "breast_cancer"),
    "extra trees": (ensemble.ExtraTreesRegressor(5, random_state=0), "diabetes"),
    "gradient boosting": (ensemble.GradientBoostingClassifier(n_estimators=10, random_state=0), "breast_cancer"),
    "bagging": (ensemble.BaggingClassifier(n_estimators=4, random_state=0), "wine"),
    "ada boost": (ensemble.AdaBoostClassifier(n_estimators=4, random_state=0), "wine"),
    "nearest neighbours": (neighbors.KNeighborsClassifier(3), "few"),
    "naive Bayes": (make_pipeline(SCALED(), naive_bayes.GaussianNB()), "wine"),
    "two layers": (make_pipeline(SCALED(), neural_network.MLPClassifier((8,), max_iter=50, random_state=0)), "wine"),
    "principal components": (make_pipeline(SCALED(), decomposition.PCA(2), linear_model.LogisticRegression()), "iris"),
    "polynomial features": (make_pipeline(SCALED(), pre.PolynomialFeatures(2), linear_model.Ridge()), "iris"),
    "columns of two kinds": (make_pipeline(COLUMNS, linear_model.LogisticRegression()), "iris"),
    "normalised": (make_pipeline(pre.Normalizer(), linear_model.LogisticRegression()), "iris"),
    "binarised": (make_pipeline(pre.Binarizer(threshold=1.5), linear_model.LogisticRegression()), "iris"),
    "one-hot": (make_pipeline(pre.OneHotEncoder(handle_unknown="ignore"), linear_model.LogisticRegression()), "rounded"),
    "imputed": (make_pipeline(SimpleImputer(), tree.DecisionTreeClassifier(random_state=0)), "iris"),
    "linear discriminant": (discriminant_analysis.LinearDiscriminantAnalysis(), "wine"),
    "quadratic discriminant": (discriminant_analysis.QuadraticDiscriminantAnalysis(), "iris"),
    "text labels": (linear_model.LogisticRegression(max_iter=300), "names"),
}  # fmt: skip


def data(name: str) -> tuple[np.ndarray, np.ndarray]:
    bunch = getattr(datasets, f"load_{name if name not in ('rounded', 'names', 'few') else 'iris'}")()
    x, y = bunch.data.astype(np.float32), bunch.target
    x = np.rint(x) if name == "rounded" else x
    if name == "few":
        return x[::3], bunch.target[::3]
    return x, np.array(["setosa", "versicolor", "virginica"])[y] if name == "names" else y


def exported(estimator: Any, name: str) -> tuple[onnx.ModelProto, np.ndarray]:
    from skl2onnx import to_onnx

    x, y = data(name)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return to_onnx(estimator.fit(x, y), x[:1], target_opset={"": 18, "ai.onnx.ml": 3}), x


def both(made: onnx.ModelProto, x: np.ndarray, **options: Any) -> tuple[list[Any], list[Any]]:
    """Answers row by row: of onnxruntime, and of the program that is compiled on every other row."""
    program = vml.compile(made, [row[None] for row in x[::2][:120]], **options)
    session = onnxruntime.InferenceSession(made.SerializeToString(), providers=["CPUExecutionProvider"])
    given = made.graph.input[0].name
    return [session.run(None, {given: row[None]}) for row in x], [program.predict(row[None], saturate=True) for row in x]


@pytest.mark.parametrize("case", QUICK)
def test_model_of_scikit_learn_decides_as_onnxruntime_on_every_row(case: str) -> None:
    estimator, name = QUICK[case]
    made, x = exported(estimator, name)
    wanted, found = both(made, x)
    first = np.concatenate([np.ravel(row[0]) for row in wanted])
    ours = np.concatenate([np.ravel(row[0]) for row in found])
    if first.dtype.kind == "f":
        assert np.abs(ours - first).max() < 1e-3 * (first.max() - first.min())
    else:
        places = first if first.dtype.kind in "iu" else np.unique(first, return_inverse=True)[1]
        assert np.array_equal(ours, places)


def test_clusters_are_those_of_onnxruntime() -> None:
    """Its operators are of the standard domain: what decides is the threshold."""
    made, x = exported(cluster.KMeans(3, random_state=0, n_init=2), "iris")
    wanted, found = both(made, x)
    assert np.mean([row[0].item() == ours[0].item() for row, ours in zip(wanted, found, strict=True)]) >= 0.99


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
