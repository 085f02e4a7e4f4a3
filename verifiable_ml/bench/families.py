# SPDX-License-Identifier: MIT OR Apache-2.0
"""Every family of scikit-learn's models: an estimator each, the dataset that it learns, and the model that it becomes."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import onnx
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
VOTERS = [("a", linear_model.LogisticRegression(max_iter=300)), ("b", tree.DecisionTreeClassifier(max_depth=3, random_state=0))]
FAMILIES: dict[str, tuple[Any, str]] = {
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
    "isolation forest": (ensemble.IsolationForest(n_estimators=10, random_state=0), "wine"),
    "voting": (ensemble.VotingClassifier(VOTERS, flatten_transform=False), "iris"),
    "clusters": (cluster.KMeans(3, random_state=0, n_init=2), "iris"),
    "linear discriminant": (discriminant_analysis.LinearDiscriminantAnalysis(), "wine"),
    "quadratic discriminant": (discriminant_analysis.QuadraticDiscriminantAnalysis(), "iris"),
    "text labels": (linear_model.LogisticRegression(max_iter=300), "names"),
}  # fmt: skip
"""Name of a family: an estimator, and the dataset that it learns."""


def data(name: str) -> tuple[np.ndarray, np.ndarray]:
    """Rows and what they are; the names beside the datasets' own are iris, changed."""
    bunch = getattr(datasets, f"load_{name if name not in ('rounded', 'names', 'few') else 'iris'}")()
    x, y = bunch.data.astype(np.float32), bunch.target
    if name == "few":
        return x[::3], y[::3]
    return np.rint(x) if name == "rounded" else x, np.array(["setosa", "versicolor", "virginica"])[y] if name == "names" else y


def exported(name: str) -> tuple[onnx.ModelProto, np.ndarray]:
    """The family's model, trained on the whole dataset, and the dataset's rows. Raises ImportError without skl2onnx."""
    estimator, dataset = FAMILIES[name]
    x, y = data(dataset)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return converted(estimator.fit(x, y), x), x


def converted(estimator: Any, rows: np.ndarray) -> onnx.ModelProto:
    """A trained estimator as an ONNX model of one row in float32. Raises ImportError without skl2onnx."""
    from skl2onnx import to_onnx

    made: onnx.ModelProto = to_onnx(estimator, rows[:1].astype(np.float32), target_opset={"": 18, "ai.onnx.ml": 3})
    return made
