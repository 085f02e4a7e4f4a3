# SPDX-License-Identifier: MIT OR Apache-2.0
"""Tree ensembles: every decision is onnxruntime's, on thresholds and beside them too."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

import verifiable_ml as vml
from unit import small_trees
from verifiable_ml.errors import UnsupportedOperator
from verifiable_ml.execute import OnnxView, encode_inputs, run_reference
from verifiable_ml.program import Ranks

ROWS = 150


def compiled(made: onnx.ModelProto, rows: np.ndarray) -> vml.Program:
    return vml.compile(made, [{"x": row[None]} for row in rows[:40]], threshold=-1)


def predicted(program: vml.Program, rows: np.ndarray) -> list[np.ndarray]:
    found = [program.predict({"x": row[None]}) for row in rows]
    return [np.concatenate(each) for each in zip(*found, strict=True)]


def regressor(seed: int, modes: tuple[str, ...] = small_trees.MODES, trees: int = 5, targets: int = 2, **options: Any):
    rng = np.random.default_rng(seed)
    nodes = small_trees.splits(rng, trees, 4, modes)
    ends = small_trees.leaves(rng, nodes, "target", list(range(targets)), -1.0)
    made = small_trees.model("TreeEnsembleRegressor", ("scores",), **nodes, **ends, n_targets=targets, **options)
    return made, small_trees.hard_inputs(rng, ROWS)


def close(found: np.ndarray, wanted: np.ndarray, rounding: float = 1e-5) -> bool:
    """Up to the rounding of sums in float32; least and greatest are taken of 16 bits."""
    return bool(np.abs(found - wanted).max() <= rounding * max(np.abs(wanted).max(), 1))


@pytest.mark.parametrize("mode", small_trees.MODES)
def test_split_of_each_mode_on_and_beside_its_threshold_is_exact(mode: str) -> None:
    made, rows = regressor(1, (mode,))
    program = compiled(made, rows)
    assert isinstance(program.inputs[0].encoding, Ranks)
    assert close(predicted(program, rows)[0], small_trees.answers(made, rows)[0])


@pytest.mark.parametrize("aggregate", ["SUM", "AVERAGE", "MIN", "MAX"])
@pytest.mark.parametrize("base", [None, [0.25, -3.0]])
def test_regressor_of_each_aggregate_gives_what_onnxruntime_gives(aggregate: str, base: list[float] | None) -> None:
    options = {"base_values": base} if base else {}
    made, rows = regressor(2, aggregate_function=aggregate, **options)
    found, wanted = predicted(compiled(made, rows), rows)[0], small_trees.answers(made, rows)[0]
    assert close(found, wanted, 1e-5 if aggregate in ("SUM", "AVERAGE") else 2e-4)


def test_regressor_with_tensors_for_lists_and_missing_values_is_the_same() -> None:
    made, rows = regressor(3)
    (node,) = made.graph.node
    for attribute in list(node.attribute):
        if attribute.name in ("nodes_values", "target_weights"):
            tensor = onnx.numpy_helper.from_array(np.array(attribute.floats, np.float32))
            node.attribute.append(helper.make_attribute(f"{attribute.name}_as_tensor", tensor))
            node.attribute.remove(attribute)
    count = len(next(a for a in node.attribute if a.name == "nodes_modes").strings)
    node.attribute.append(helper.make_attribute("nodes_missing_value_tracks_true", [1] * count))
    assert close(predicted(compiled(made, rows), rows)[0], small_trees.answers(made, rows)[0])


CLASSIFIERS = {
    "three classes": ([0, 1, 2], [10, 20, 30], -1.0, [None, [0.1, 0.2, 0.9]]),
    "three classes, none negative": ([0, 1, 2], [0, 1, 2], 0.0, [None]),
    "two classes by one sum": ([0], [3, 5], -1.0, [None, [0.2]]),
    "two classes by one probability": ([0], [3, 5], 0.0, [None, [0.2]]),
    "two classes by the second's sum": ([1], [0, 1], -1.0, [None]),
    "two classes by the second's probability": ([1], [0, 1], 0.0, [None]),
    "two classes by two sums": ([0, 1], [0, 1], -1.0, [None]),
    "one class": ([0], [7], -1.0, [None, [0.1]]),
}


@pytest.mark.parametrize("post", ["NONE", "LOGISTIC", "SOFTMAX"])
@pytest.mark.parametrize("case", CLASSIFIERS)
def test_classifier_decides_as_onnxruntime_on_every_input(case: str, post: str) -> None:
    ids, labels, low, bases = CLASSIFIERS[case]
    for base in bases:
        rng = np.random.default_rng(4)
        nodes = small_trees.splits(rng, 6, 3, small_trees.MODES)
        ends = small_trees.leaves(rng, nodes, "class", ids, low / 6)
        options = {"base_values": base} if base else {}
        made = small_trees.model(
            "TreeEnsembleClassifier",
            ("label", "scores"),
            **nodes,
            **ends,
            classlabels_int64s=labels,
            post_transform=post,
            **options,
        )
        rows = small_trees.hard_inputs(rng, ROWS)
        label, scores = small_trees.answers(made, rows)
        found = predicted(compiled(made, rows), rows)
        assert (found[0] == label).all()
        assert np.abs(found[1] - scores).max() < 0.02 * max(np.abs(scores).max(), 1)


@pytest.mark.parametrize("trees", range(2, 24, 3))
def test_vote_that_is_even_is_decided_as_float32_sums_decide_it(trees: int) -> None:
    """Of 10 trees five times 0.1 is 0.5 in float32, and more than that exactly."""
    nodes: dict[str, list[Any]] = {f"nodes_{n}": [] for n in ("treeids", "nodeids", "featureids", "values", "modes")}
    nodes |= {"nodes_truenodeids": [], "nodes_falsenodeids": []}
    ends: dict[str, list[Any]] = {f"class_{n}": [] for n in ("treeids", "nodeids", "ids", "weights")}
    for tree in range(trees):
        for name, values in zip(
            nodes, ([tree] * 3, [0, 1, 2], [0] * 3, [float(tree)] * 3, [], [1, 0, 0], [2, 0, 0]), strict=True
        ):
            nodes[name] += values or ["BRANCH_LEQ", "LEAF", "LEAF"]
        for name, value in zip(ends, ([tree] * 2, [1, 2], [0, 0], [0.0, 1 / trees]), strict=True):
            ends[name] += value
    made = small_trees.model("TreeEnsembleClassifier", ("label", "scores"), **nodes, **ends, classlabels_int64s=[0, 1])
    rows = np.repeat(np.arange(trees + 1, dtype=np.float32)[:, None] - 0.5, 3, axis=1)
    assert predicted(compiled(made, rows), rows)[0].tolist() == small_trees.answers(made, rows)[0].tolist()


def version_5(rng: np.random.Generator, aggregate: int) -> onnx.ModelProto:
    """Two trees: one of three splits, one that is a single leaf, which version 5 writes as a split with one child twice."""
    tensor = onnx.numpy_helper.from_array
    return small_trees.model(
        "TreeEnsemble", ("scores",), version=5, n_targets=1, aggregate_function=aggregate, post_transform=0, tree_roots=[0, 3],
        nodes_featureids=[0, 1, 2, 0], nodes_modes=tensor(np.array([0, 1, 4, 0], np.uint8)),
        nodes_splits=tensor(np.array([0.1, 0.2, -0.3, 0.0], np.float32)),
        nodes_truenodeids=[1, 0, 2, 4], nodes_trueleafs=[0, 1, 1, 1],
        nodes_falsenodeids=[2, 1, 3, 4], nodes_falseleafs=[0, 1, 1, 1],
        leaf_targetids=[0] * 5, leaf_weights=tensor(rng.normal(size=5).astype(np.float32)),
    )  # fmt: skip


@pytest.mark.parametrize("aggregate", range(4))
def test_tree_ensemble_of_version_5_gives_what_onnxruntime_gives(aggregate: int) -> None:
    rng = np.random.default_rng(5)
    made, rows = version_5(rng, aggregate), small_trees.hard_inputs(rng, ROWS)
    assert close(predicted(compiled(made, rows), rows)[0], small_trees.answers(made, rows)[0], 1e-5 if aggregate < 2 else 2e-4)


def test_tree_ensemble_split_by_membership_gives_what_onnxruntime_gives() -> None:
    """A split by a set below the true child of another one."""
    rng, tensor = np.random.default_rng(7), onnx.numpy_helper.from_array
    made = small_trees.model(
        "TreeEnsemble", ("scores",), version=5, n_targets=1, post_transform=0, tree_roots=[0],
        nodes_featureids=[0, 1, 2], nodes_modes=tensor(np.array([6, 6, 0], np.uint8)),
        nodes_splits=tensor(np.array([np.nan, np.nan, 0.1], np.float32)),
        nodes_truenodeids=[1, 0, 2], nodes_trueleafs=[0, 1, 1],
        nodes_falsenodeids=[2, 1, 3], nodes_falseleafs=[0, 1, 1],
        leaf_targetids=[0] * 4, leaf_weights=tensor(rng.normal(size=4).astype(np.float32)),
        membership_values=tensor(np.array([1, 3, -2, np.nan, 2, 3, np.nan], np.float32)),
    )  # fmt: skip
    rows = np.rint(rng.uniform(-4, 4, (ROWS, 3))).astype(np.float32)
    found = small_trees.answers(made, rows)[0]
    assert len(np.unique(found)) == 4
    assert close(predicted(compiled(made, rows), rows)[0], found, 1e-5)


def scaled(*nodes: tuple[str, list[str], list[str]], **constants: Any) -> tuple[onnx.NodeProto, ...]:
    made = [
        helper.make_node("Constant", [], [n], value=onnx.numpy_helper.from_array(np.asarray(v))) for n, v in constants.items()
    ]
    return (*made, *(helper.make_node(kind, inputs, outputs) for kind, inputs, outputs in nodes))


SCALE = np.array([3.7, -0.013, 1.1], np.float32)
OFFSET = np.array([0.3, -0.2, 1e-3], np.float32)
BEFORE = {
    "a standardisation": scaled(("Sub", ["x", "o"], ["a"]), ("Div", ["a", "s"], ["h"]), o=OFFSET, s=SCALE),
    "a scale and a clip": scaled(("Mul", ["x", "s"], ["a"]), ("Relu", ["a"], ["h"]), s=SCALE),
    "a reversal": scaled(("Neg", ["x"], ["a"]), ("Add", ["a", "o"], ["h"]), o=OFFSET),
    "a constant minus it": scaled(("Sub", ["o", "x"], ["h"]), o=OFFSET),
    "a Scaler": (helper.make_node("Scaler", ["x"], ["h"], domain="ai.onnx.ml", offset=OFFSET.tolist(), scale=SCALE.tolist()),),
    "a Binarizer": (helper.make_node("Binarizer", ["x"], ["h"], domain="ai.onnx.ml", threshold=0.1),),
    "columns in another order": scaled(
        ("Gather", ["x", "i"], ["a"]), ("Gather", ["x", "j"], ["b"]), ("Concat", ["b", "a"], ["h"]),
        i=np.array([0]), j=np.array([2, 1]),
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", BEFORE)
def test_tree_behind_prepared_features_splits_the_input_exactly(case: str) -> None:
    before = BEFORE[case]
    for node in before:
        if node.op_type in ("Gather", "Concat") and not node.attribute:
            node.attribute.append(helper.make_attribute("axis", 1))
    rng = np.random.default_rng(6)
    nodes = small_trees.splits(rng, 5, 4, small_trees.MODES[:4])
    ends = small_trees.leaves(rng, nodes, "target", [0], -1.0)
    made = small_trees.model("TreeEnsembleRegressor", ("scores",), before=before, **nodes, **ends, n_targets=1)
    rows = np.concatenate([small_trees.hard_inputs(rng, 50), edges(made, rng)])
    program = compiled(made, rows)
    assert isinstance(program.inputs[0].encoding, Ranks)
    assert close(predicted(program, rows)[0], small_trees.answers(made, rows)[0])


def edges(made: onnx.ModelProto, rng: np.random.Generator) -> np.ndarray:
    """Inputs between which the answer changes, next to each other in float32."""
    found = []
    for _ in range(25):
        feature = int(rng.integers(3))
        low, high = (rng.uniform(-30, 30, (1, 3)).astype(np.float32) for _ in range(2))
        low = np.where(np.arange(3) == feature, low, high)
        first = small_trees.answers(made, low)[0]
        while np.nextafter(low, high).tolist() != high.tolist():
            middle = ((low.astype(np.float64) + high) / 2).astype(np.float32)
            middle = np.nextafter(low, high) if middle.tolist() in (low.tolist(), high.tolist()) else middle
            low, high = (middle, high) if (small_trees.answers(made, middle)[0] == first).all() else (low, middle)
        found += [low, high]
    return np.concatenate(found)


def test_several_rows_at_once_are_what_each_is_alone() -> None:
    made, rows = regressor(7)
    batches = rows.reshape(-1, 5, 3)
    program = vml.compile(made, [{"x": batch} for batch in batches[:10]], threshold=-1)
    found = np.concatenate([program.predict({"x": batch})[0] for batch in batches])
    assert close(found, small_trees.answers(made, rows)[0])


def test_trace_of_a_forest_is_the_same_in_numpy_and_onnxruntime() -> None:
    made, rows = regressor(8)
    program = compiled(made, rows)
    view = OnnxView(program, every_output=True)
    for row in rows[:20]:
        given = encode_inputs(program, {"x": row[None]})
        for ours, theirs in zip(run_reference(program, given).tensors, view.trace(given).tensors, strict=True):
            assert ours.dtype == theirs.dtype and (ours == theirs).all()


def test_zipmap_and_text_labels_become_scores_and_places_among_the_classes() -> None:
    rng = np.random.default_rng(9)
    nodes = small_trees.splits(rng, 4, 3, ("BRANCH_LEQ",))
    ends = small_trees.leaves(rng, nodes, "class", [0, 1, 2], 0.0)
    texts = ["cat", "dog", "eel"]
    made = small_trees.model("TreeEnsembleClassifier", ("label", "scores"), **nodes, **ends, classlabels_strings=texts)
    made.graph.output[0].type.tensor_type.elem_type = TensorProto.STRING
    made.graph.node.append(helper.make_node("ZipMap", ["scores"], ["named"], domain="ai.onnx.ml", classlabels_strings=texts))
    made.graph.output[1].name = "named"
    made.graph.output[1].type.CopyFrom(
        helper.make_sequence_type_proto(helper.make_map_type_proto(TensorProto.STRING, helper.make_tensor_type_proto(1, None)))
    )
    rows = small_trees.hard_inputs(rng, ROWS)
    program, wanted = compiled(made, rows), small_trees.answers(made, rows)
    label, scores = predicted(program, rows)
    assert [texts[int(place)] for place in label] == wanted[0].tolist()
    assert close(scores, np.array([[row[text] for text in texts] for row in wanted[1]]))
    assert any("cat, dog, eel" in rewrite.after for rewrite in program.rewrites)


REFUSED = {
    "probit": {"post_transform": "PROBIT"},
    "a split without a child": {"nodes_truenodeids": [9, 0, 0]},
    "a tree that is a circle": {"nodes_truenodeids": [0, 0, 0]},
    "a feature that is not there": {"nodes_featureids": [5, 0, 0]},
    "an unknown mode": {"nodes_modes": ["BRANCH_ODD", "LEAF", "LEAF"]},
    "a class that is not there": {"class_ids": [0, 9]},
}


@pytest.mark.parametrize("case", REFUSED)
def test_classifier_that_cannot_be_taken_is_refused_with_a_way_out(case: str) -> None:
    options = {
        "nodes_treeids": [0, 0, 0], "nodes_nodeids": [0, 1, 2], "nodes_featureids": [0, 0, 0], "nodes_values": [0.5, 0.0, 0.0],
        "nodes_modes": ["BRANCH_LEQ", "LEAF", "LEAF"], "nodes_truenodeids": [1, 0, 0], "nodes_falsenodeids": [2, 0, 0],
        "class_treeids": [0, 0], "class_nodeids": [1, 2], "class_ids": [0, 1], "class_weights": [1.0, 1.0],
        "classlabels_int64s": [0, 1],
    }  # fmt: skip
    made = small_trees.model("TreeEnsembleClassifier", ("label", "scores"), **{**options, **REFUSED[case]})
    with pytest.raises(vml.errors.VerifiableMlError) as caught:
        vml.compile(made, [np.zeros((1, 3), np.float32)] * 5)
    assert caught.value.hint
    assert isinstance(caught.value, vml.errors.UnsupportedModel | UnsupportedOperator)
