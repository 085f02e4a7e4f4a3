# SPDX-License-Identifier: MIT OR Apache-2.0
"""Small random tree ensembles as ONNX models, the inputs that are hard for them, and what onnxruntime answers."""

from __future__ import annotations

from typing import Any

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper

MODES = ("BRANCH_LEQ", "BRANCH_LT", "BRANCH_GTE", "BRANCH_GT", "BRANCH_EQ", "BRANCH_NEQ")
FEATURES = 3
TYPES = {"label": (TensorProto.INT64, ["N"]), "scores": (TensorProto.FLOAT, ["N", "C"])}


def splits(rng: np.random.Generator, trees: int, depth: int, modes: tuple[str, ...]) -> dict[str, list[Any]]:
    """Attributes nodes_*, thresholds among few values, so that many are equal; a tree may be a single leaf."""
    rows: list[tuple[Any, ...]] = []
    for tree in range(trees):
        count, waiting = 1, [(0, 0)]
        while waiting:
            node, level = waiting.pop(0)
            if level < depth and (rng.random() < 0.8 or (tree == 0 and level == 0)):
                threshold = float(np.float32(rng.integers(-4, 5) / 10))
                rows.append((tree, node, int(rng.integers(FEATURES)), threshold, str(rng.choice(modes)), count, count + 1))
                waiting += [(count, level + 1), (count + 1, level + 1)]
                count += 2
            else:
                rows.append((tree, node, 0, 0.0, "LEAF", 0, 0))
    names = ("treeids", "nodeids", "featureids", "values", "modes", "truenodeids", "falsenodeids")
    return {f"nodes_{name}": [row[place] for row in rows] for place, name in enumerate(names)}


def leaves(
    rng: np.random.Generator, nodes: dict[str, list[Any]], prefix: str, ids: list[int], low: float
) -> dict[str, list[Any]]:
    """Attributes of the leaves' weights: every leaf has each of `ids`."""
    keys = zip(nodes["nodes_treeids"], nodes["nodes_nodeids"], nodes["nodes_modes"], strict=True)
    rows = [(tree, node, each) for tree, node, mode in keys if mode == "LEAF" for each in ids]
    weights = rng.uniform(low, 1, len(rows)).astype(np.float32).tolist()
    named = {f"{prefix}_{name}": [row[place] for row in rows] for place, name in enumerate(("treeids", "nodeids", "ids"))}
    return {**named, f"{prefix}_weights": weights}


def model(kind: str, outputs: tuple[str, ...], version: int = 3, before: tuple[onnx.NodeProto, ...] = (), **options: Any):
    """One node of ai.onnx.ml on `x` [N, 3], or on `h` that nodes before it make of x."""
    node = helper.make_node(kind, ["h" if before else "x"], list(outputs), domain="ai.onnx.ml", **options)
    graph = helper.make_graph(
        [*before, node],
        "forest",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", FEATURES])],
        [helper.make_tensor_value_info(name, *TYPES[name]) for name in outputs],
    )
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid("ai.onnx.ml", version)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=9)


def hard_inputs(rng: np.random.Generator, count: int) -> np.ndarray:
    """Thresholds, the numbers next to them, and some between: float32 [count, 3]."""
    chosen = (rng.integers(-5, 6, (count, FEATURES)) / 10).astype(np.float32)
    beside = np.nextafter(chosen, rng.choice([-np.inf, np.inf], chosen.shape).astype(np.float32))
    between = rng.normal(size=chosen.shape).astype(np.float32)
    which = rng.integers(0, 3, chosen.shape)
    return np.choose(which, [chosen, beside, between]).astype(np.float32)


def answers(made: onnx.ModelProto, rows: np.ndarray) -> list[np.ndarray]:
    """What onnxruntime says, row by row, each output stacked [count, …]."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(made.SerializeToString(), options, providers=["CPUExecutionProvider"])
    found = [session.run(None, {"x": row[None]}) for row in rows]
    return [np.concatenate(each) for each in zip(*found, strict=True)]
