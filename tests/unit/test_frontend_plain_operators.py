# SPDX-License-Identifier: MIT OR Apache-2.0
"""Operators that passes bring to plainer ones, each on the smallest graph: what is left, and the same answers."""

from __future__ import annotations

import numpy as np
import pytest

from unit.small_graphs import IMAGE, ROWS, TOKENS, assert_leaves, random

RANK4 = "=> (float[a,b,c,d] y)"

# name, graph, constants, what is left
NORMS = [
    ("instance norm", f"{IMAGE} {{ y = InstanceNormalization (x, s, b) }}", {"s": random(3), "b": random(3)}, "norm2 Mul Add"),
    (
        "local response",
        f"{IMAGE} {{ y = LRN <size=3> (x) }}",
        {},
        "Mul Transpose MatMul Transpose Add Pow Mul",
    ),
    ("layer norm over two axes", f"{TOKENS} {{ y = LayerNormalization <axis=1> (x, s) }}", {"s": random(4, 6)}, "norm2"),
    (
        "mean variance",
        f"{IMAGE} {{ y = MeanVarianceNormalization (x) }}",
        {},
        "Transpose Reshape LayerNormalization Reshape Transpose",
    ),
    ("length", f"{ROWS} {{ y = LpNormalization (x) }}", {}, "Neg Concat LayerNormalization Slice Mul"),
    ("length of magnitudes", f"{ROWS} {{ y = LpNormalization <p=1> (x) }}", {}, "Abs ReduceSum Div"),
    (
        "batch norm with computed statistics",
        "(float[2,3,4,4] x, float[3] v) => (float[a,b,c,d] y) { w = Abs (v) y = BatchNormalization (x, s, s, m, w) }",
        {"s": random(3), "m": random(3)},
        "Abs Reshape Add Sqrt Reciprocal Mul Add Reshape Mul Add",
    ),
]
REDUCTIONS = [
    ("minimum", f"{ROWS} {{ y = ReduceMin (x, i) }}", {"i": [1]}, "Neg ReduceMax Neg"),
    ("sum of magnitudes", f"{ROWS} {{ y = ReduceL1 (x, i) }}", {"i": [-1]}, "Abs ReduceSum"),
    ("length", f"{ROWS} {{ y = ReduceL2 (x, i) }}", {"i": [0]}, "Mul ReduceSum Sqrt"),
    ("squares", f"{ROWS} {{ y = ReduceSumSquare (x, i) }}", {"i": [0]}, "Mul ReduceSum"),
    ("log of a sum", f"{ROWS} {{ a = Abs (x) y = ReduceLogSum (a, i) }}", {"i": [1]}, "Abs ReduceSum Log"),
    ("stable log of exponentials", f"{ROWS} {{ y = ReduceLogSumExp (x, i) }}", {"i": [1]}, "ReduceMax Sub Exp ReduceSum Log Add"),
    (
        "product of three",
        "(float[3,4] x) => (float[a,b] y) { y = ReduceProd (x, i) }",
        {"i": [0]},
        "Slice Slice Mul Slice Concat Slice Slice Mul",
    ),
    ("least place", "(float[3,4] x) => (int64[a,b] y) { y = ArgMin <axis=1> (x) }", {}, "Neg ArgMax"),
    (
        "last of equals",
        "(float[3,4] x) => (int64[a,b] y) { y = ArgMax <axis=1, select_last_index=1> (x) }",
        {},
        "Gather ArgMax Sub",
    ),
    ("global length", f"{IMAGE} {{ y = GlobalLpPool (x) }}", {}, "Mul ReduceSum Sqrt"),
    ("length in windows", f"{IMAGE} {{ y = LpPool <kernel_shape=[2,2]> (x) }}", {}, "Mul AveragePool Mul Sqrt"),
]
CHOICES = [
    ("maximum of two", f"{ROWS} {{ a = Neg (x) y = Max (x, a) }}", {}, "Neg Sub Relu Add"),
    ("maximum with a number", f"{ROWS} {{ y = Max (x, c) }}", {"c": -1.0}, "Clip"),
    ("minimum of two", f"{ROWS} {{ a = Neg (x) y = Min (x, a) }}", {}, "Neg Sub Relu Sub"),
    ("clip above 0", f"{ROWS} {{ y = Clip (x, c, d) }}", {"c": 0.5, "d": 1.0}, "Add Clip Add"),
    ("slope below 0", f"{ROWS} {{ y = PRelu (x, s) }}", {"s": random(6)}, "Neg Relu Relu Mul Sub"),
    ("hardmax", f"{ROWS} {{ y = Hardmax (x) }}", {}, "ArgMax Equal Cast"),
    ("softmax along another axis", f"{TOKENS} {{ y = Softmax <axis=1> (x) }}", {}, "Transpose Softmax Transpose"),
    ("log of softmax", f"{ROWS} {{ y = LogSoftmax (x) }}", {}, "ReduceMax Sub Exp ReduceSum Log Sub"),
    ("truth of numbers", "(float[2,6] x) => (bool[a,b] y) { a = Relu (x) y = Cast <to=9> (a) }", {}, "Relu Equal Not"),
]
MOVES = [
    ("tile", f"{ROWS} {{ y = Tile (x, r) }}", {"r": [1, 2]}, "Gather"),
    ("expand", "(float[2,1] x) => (float[a,b] y) { y = Expand (x, s) }", {"s": [2, 3]}, "Gather"),
    ("reflect", f'{ROWS} {{ y = Pad <mode="reflect"> (x, p) }}', {"p": [0, 2, 0, 1]}, "Gather"),
    (
        "nearest resize",
        f'{IMAGE} {{ y = Resize <mode="nearest"> (x, , s) }}',
        {"s": np.array([1, 1, 2, 2], np.float32)},
        "Gather Gather",
    ),
    ("upper triangle", f"{ROWS} {{ y = Trilu (x) }}", {}, "Reshape Concat Gather Reshape"),
    ("elements", f"{ROWS} {{ y = GatherElements <axis=1> (x, i) }}", {"i": np.array([[1, 0], [5, 5]])}, "Reshape Gather Reshape"),
    (
        "scattered rows",
        "(float[4,3] x, float[2,3] u) => (float[a,b] y) { y = ScatterND (x, i, u) }",
        {"i": np.array([[2], [0]])},
        "Concat Gather",
    ),
    (
        "space to depth",
        "(float[1,2,4,4] x) => (float[a,b,c,d] y) { y = SpaceToDepth <blocksize=2> (x) }",
        {},
        "Reshape Transpose Reshape",
    ),
    (
        "added rows",
        '(float[4,3] x, float[2,3] u) => (float[a,b] y) { y = ScatterND <reduction="add"> (x, i, u) }',
        {"i": np.array([[2], [0]])},
        "Gather Add Concat Gather",
    ),
]
LINEAR = [
    ("running sum", f"{ROWS} {{ y = CumSum (x, i) }}", {"i": np.array(1)}, "MatMul"),
    (
        "linear resize",
        f'{IMAGE} {{ y = Resize <mode="linear"> (x, , s) }}',
        {"s": np.array([1, 1, 2, 1], np.float32)},
        "Transpose MatMul Transpose",
    ),
    (
        "a constant in front",
        "(float[4,3] x) => (float[a,b] y) { y = MatMul (c, x) }",
        {"c": random(5, 4)},
        "Transpose MatMul Transpose",
    ),
    (
        "a batch that broadcasts",
        "(float[2,3,4] x, float[4,5] z) => (float[a,b,c] y) { y = MatMul (x, z) }",
        {},
        "Reshape MatMul Reshape",
    ),
    (
        "einsum of two",
        '(float[2,3,4] x, float[2,4,5] z) => (float[a,b,c] y) { y = Einsum <equation="bij,bjk->bik"> (x, z) }',
        {},
        "MatMul",
    ),
    ("einsum of a transposition", f'{ROWS} {{ y = Einsum <equation="ij->ji"> (x) }}', {}, "Transpose"),
    ("transposed convolution", f"(float[1,3,4,4] x) {RANK4} {{ y = ConvTranspose (x, w) }}", {"w": random(3, 2, 3, 3)}, "Conv"),
    (
        "transposed convolution in strides",
        f"(float[1,3,4,4] x) {RANK4} {{ y = ConvTranspose <strides=[2,2], pads=[1,1,1,1], output_padding=[1,1]> (x, w) }}",
        {"w": random(3, 2, 3, 3)},
        "Reshape Pad Reshape Conv",
    ),
    (
        "mean that leaves out its padding",
        f"{IMAGE} {{ y = AveragePool <kernel_shape=[3,3], pads=[1,1,1,1]> (x) }}",
        {},
        "AveragePool Mul",
    ),
    (
        "mean with ceil_mode",
        f"{IMAGE} {{ y = AveragePool <kernel_shape=[2,2], strides=[2,2], ceil_mode=1> (x) }}",
        {},
        "AveragePool Mul",
    ),
    (
        "maximum, padded and dilated",
        f"{IMAGE} {{ y = MaxPool <kernel_shape=[2,2], dilations=[2,2], pads=[1,1,1,1]> (x) }}",
        {},
        "Gather Gather Reshape ReduceMax",
    ),
]
CASES = [*NORMS, *REDUCTIONS, *CHOICES, *MOVES, *LINEAR]


@pytest.mark.parametrize(("text", "constants", "left"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_operator_in_a_small_graph_becomes_plain_ones(text: str, constants: dict, left: str) -> None:
    assert_leaves(text, constants, left.replace("norm2", "Reshape LayerNormalization Reshape").split())


def test_branch_with_a_constant_condition_is_inlined() -> None:
    text = """(float[2,6] x) => (float[a,b] y) { y = If (t) <then_branch = p () => (float[2,6] q) { q = Relu (x) },
        else_branch = n () => (float[2,6] m) { m = Neg (x) }> }"""
    assert_leaves(text, {"t": np.array(True)}, ["Relu"])
    assert_leaves(text, {"t": np.array(False)}, ["Neg"])


def test_mask_of_infinities_becomes_finite() -> None:
    result = assert_leaves(
        f"{ROWS} {{ a = Where (c, x, m) y = Softmax (a) }}",
        {"c": np.array([True, False] * 3), "m": np.float32(-np.inf)},
        ["Where", "Softmax"],
    )
    assert all(np.isfinite(np.frombuffer(t.raw_data, np.float32)).all() for t in result.graph.initializer if t.data_type == 1)


@pytest.mark.parametrize("opset", [7, 9, 10])
def test_upsample_of_an_old_opset_keeps_its_places(opset: int) -> None:
    node = "Upsample <scales=[1.0,1.0,2.0,2.0]> (x)" if opset == 7 else f"{'Upsample' if opset == 9 else 'Resize'} (x, s)"
    constants = {} if opset == 7 else {"s": np.array([1, 1, 2, 2], np.float32)}
    assert_leaves(f"{IMAGE} {{ y = {node} }}", constants, ["Gather", "Gather"], opset=opset)
