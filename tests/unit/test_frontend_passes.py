# SPDX-License-Identifier: MIT OR Apache-2.0
"""Each pass on the smallest graph that needs it: what is left, and that onnxruntime sees the same function."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnx.parser
import pytest

from unit.small_graphs import IMAGE, ROWS, TOKENS, assert_leaves, graph, kinds, prepared, random
from verifiable_ml.errors import InvalidInput, UnsupportedModel
from verifiable_ml.frontend import judge, lint, load, passes
from verifiable_ml.frontend.graph import Index, attributes
from verifiable_ml.frontend.passes import fix_dimensions, single_precision, tensor_outputs

# name, graph, constants, what is left
CASES = [
    (
        "gemm with transposed weights",
        f"{ROWS} {{ y = Gemm <alpha=0.5, beta=2.0, transB=1> (x, w, b) }}",
        {"w": random(5, 6), "b": random(5)},
        ["MatMul", "Add"],
    ),
    ("gemm without bias", f"{ROWS} {{ y = Gemm (x, w) }}", {"w": random(6, 5)}, ["MatMul"]),
    ("gemm with transposed input", f"{ROWS} {{ y = Gemm <transA=1> (x, w) }}", {"w": random(2, 5)}, ["Transpose", "MatMul"]),
    (
        "gemm of two inputs",
        "(float[2,6] x, float[5,6] z) => (float[a,b] y) { y = Gemm <alpha=3.0, transB=1> (x, z) }",
        {},
        ["Transpose", "Mul", "MatMul"],
    ),
    (
        "batch norm after a convolution",
        f"{IMAGE} {{ c = Conv (x, w, b) y = BatchNormalization <epsilon=0.1> (c, s, t, m, v) }}",
        {"w": random(4, 3, 3, 3), "b": random(4), "s": random(4), "t": random(4), "m": random(4), "v": random(4) ** 2 + 0.1},
        ["Conv"],
    ),
    (
        "batch norm after a convolution that is used twice",
        f"{IMAGE} {{ c = Conv (x, w) n = BatchNormalization (c, s, t, m, v) y = Add (c, n) }}",
        {"w": random(4, 3, 3, 3), "s": random(4), "t": random(4), "m": random(4), "v": random(4) ** 2 + 0.1},
        ["Conv", "Mul", "Add", "Add"],
    ),
    (
        "gelu by erf",
        f"{ROWS} {{ a = Div (x, r) e = Erf (a) p = Add (e, one) q = Mul (x, p) y = Mul (q, half) }}",
        {"r": 2.0**0.5, "one": 1.0, "half": 0.5},
        ["Gelu"],
    ),
    (
        "gelu by erf of a product",
        f"{ROWS} {{ z = Mul (x, x) a = Mul (z, r) e = Erf (a) p = Add (one, e) h = Mul (half, p) y = Mul (z, h) }}",
        {"r": 0.5**0.5, "one": 1.0, "half": 0.5},
        ["Mul", "Gelu"],
    ),
    (
        "gelu by tanh",
        f"""{ROWS} {{ c = Pow (x, three) d = Mul (c, k) e = Add (x, d) f = Mul (e, r) t = Tanh (f)
          p = Add (t, one) h = Mul (x, half) y = Mul (h, p) }}""",
        {"three": 3.0, "k": 0.044715, "r": (2 / np.pi) ** 0.5, "one": 1.0, "half": 0.5},
        ["Gelu"],
    ),
    (
        "not quite gelu",
        f"{ROWS} {{ e = Erf (x) p = Add (e, one) q = Mul (x, p) y = Mul (q, half) }}",
        {"one": 1.0, "half": 0.5},
        ["Erf", "Add", "Mul", "Mul"],
    ),
    (
        "layer norm",
        f"""{TOKENS} {{ m = ReduceMean (x, last) d = Sub (x, m) s = Pow (d, two) v = ReduceMean (s, last)
       e = Add (v, eps) r = Sqrt (e) n = Div (d, r) g = Mul (n, gamma) y = Add (g, beta) }}""",
        {"last": [-1], "two": 2.0, "eps": 1e-5, "gamma": random(6), "beta": random(6)},
        ["LayerNormalization"],
    ),
    (
        "layer norm without affine",
        f"""{TOKENS} {{ m = ReduceMean (x, last) d = Sub (x, m) s = Mul (d, d) v = ReduceMean (s, last)
       e = Add (eps, v) r = Sqrt (e) y = Div (d, r) }}""",
        {"last": [2], "eps": 1e-5},
        ["LayerNormalization"],
    ),
    (
        "norm over another axis stays",
        f"""{TOKENS} {{ m = ReduceMean (x, axis) d = Sub (x, m) s = Mul (d, d) v = ReduceMean (s, axis)
       e = Add (eps, v) r = Sqrt (e) y = Div (d, r) }}""",
        {"axis": [1], "eps": 1e-5},
        ["ReduceMean", "Sub", "Mul", "ReduceMean", "Add", "Sqrt", "Div"],
    ),
    (
        "variance as flax writes it",
        f"""{TOKENS} {{ t = ReduceSum <keepdims=0> (x, last) m = Mul (t, share) q = Mul (x, x)
       u = ReduceSum <keepdims=0> (q, last) n = Mul (u, share) o = Mul (m, m) y = Sub (n, o) }}""",
        {"last": [2], "share": 1 / 6},
        ["ReduceMean", "Sub", "Mul", "ReduceMean"],
    ),
    (
        "variance of means that are kept, then the norm",
        f"""{TOKENS} {{ m = ReduceMean (x, last) q = Pow (x, two) n = ReduceMean (q, last) o = Pow (m, two) v = Sub (n, o)
       e = Add (v, eps) r = Sqrt (e) d = Sub (x, m) y = Div (d, r) }}""",
        {"last": [-1], "two": 2.0, "eps": 1e-2},
        ["LayerNormalization"],
    ),
    (
        "no variance: another share",
        f"""{TOKENS} {{ t = ReduceSum (x, last) m = Mul (t, share) q = Mul (x, x) u = ReduceSum (q, last)
       n = Mul (u, share) o = Mul (m, m) y = Sub (n, o) }}""",
        {"last": [2], "share": 1 / 5},
        ["ReduceSum", "Mul", "Mul", "ReduceSum", "Mul", "Mul", "Sub"],
    ),
    (
        "a subtracted and a dividing constant",
        f"{ROWS} {{ a = Sub (x, c) y = Div (a, d) }}",
        {"c": random(6), "d": random(6) + 9},
        ["Add", "Mul"],
    ),
    (
        "a constant divided",
        f"{ROWS} {{ a = Abs (x) b = Add (a, c) y = Div (d, b) }}",
        {"c": 1.0, "d": 3.0},
        ["Abs", "Add", "Reciprocal", "Mul"],
    ),
    ("one divided", f"{ROWS} {{ a = Abs (x) b = Add (a, c) y = Div (c, b) }}", {"c": 1.0}, ["Abs", "Add", "Reciprocal"]),
    ("a cube", f"{ROWS} {{ y = Pow (x, c) }}", {"c": 3.0}, ["Mul", "Mul"]),
    (
        "an inverse root",
        f"{ROWS} {{ a = Abs (x) b = Add (a, one) y = Pow (b, c) }}",
        {"one": 1.0, "c": -0.5},
        ["Abs", "Add", "Sqrt", "Reciprocal"],
    ),
    ("sum of three", f"{ROWS} {{ a = Relu (x) y = Sum (x, a, a) }}", {}, ["Relu", "Add", "Add"]),
    ("mean of two", f"{ROWS} {{ a = Relu (x) y = Mean (x, a) }}", {}, ["Relu", "Add", "Mul"]),
    (
        "squeeze, unsqueeze and flatten",
        f"{ROWS} {{ a = Unsqueeze (x, i) b = Squeeze (a, i) c = Relu (b) d = Unsqueeze (c, i) y = Flatten (d) }}",
        {"i": [0]},
        ["Relu", "Reshape"],
    ),
    ("reshape with 0 and -1", f"{ROWS} {{ y = Reshape (x, s) }}", {"s": [3, -1]}, ["Reshape"]),
    (
        "split",
        f"{ROWS} {{ a, b = Split <axis=1> (x, s) c = Relu (b) y = Concat <axis=-1> (c, a) }}",
        {"s": [2, 4]},
        ["Slice", "Slice", "Relu", "Concat"],
    ),
    (
        "slice with open ends, backwards",
        f"{ROWS} {{ y = Slice (x, s, e, a, t) }}",
        {"s": [-1], "e": [-(2**62)], "a": [-1], "t": [-2]},
        ["Slice"],
    ),
    ("slice without axes", f"{ROWS} {{ y = Slice (x, s, e) }}", {"s": [0, 1], "e": [2, 2**62]}, ["Slice"]),
    (
        "identity, dropout, cast, transpose and pad that do nothing",
        f"""{ROWS} {{ a = Identity (x) b = Dropout (a) c = Cast <to=1> (b) d = Transpose <perm=[0,1]> (c)
          e = Pad (d, p) f = Relu (e) y = Identity (f) }}""",
        {"p": [0, 0, 0, 0]},
        ["Relu"],
    ),
    ("identity from input to output", f"{ROWS} {{ y = Identity (x) }}", {}, ["Identity"]),
    (
        "shape arithmetic",
        f"""{ROWS} {{ s = Shape (x) i = Constant <value_ints=[1]> () n = Gather (s, i) m = Constant <value_ints=[-1]> ()
       t = Concat <axis=0> (n, m) y = Reshape (x, t) }}""",
        {},
        ["Reshape"],
    ),
    (
        "a part that depends on constants only",
        f"{ROWS} {{ a = Exp (c) b = Mul (a, c) y = Add (x, b) }}",
        {"c": random(6)},
        ["Add"],
    ),
    (
        "same padding",
        f'{IMAGE} {{ y = Conv <auto_pad="SAME_UPPER", strides=[2,2]> (x, w) }}',
        {"w": random(4, 3, 4, 4)},
        ["Conv"],
    ),
    (
        "maximum with ceil_mode",
        f"{IMAGE} {{ y = MaxPool <kernel_shape=[2,2], strides=[2,2], ceil_mode=1> (x) }}",
        {},
        ["MaxPool"],
    ),
    (
        "mean with idle ceil_mode",
        f"{IMAGE} {{ y = AveragePool <kernel_shape=[3,3], strides=[3,3], ceil_mode=1> (x) }}",
        {},
        ["AveragePool"],
    ),
    ("global maximum", f"{IMAGE} {{ y = GlobalMaxPool (x) }}", {}, ["ReduceMax"]),
    ("reductions without axes", "(float[2,6] x) => (float y) { y = ReduceMean <keepdims=0> (x) }", {}, ["ReduceMean"]),
    ("negative axes", f"{ROWS} {{ a = Softmax (x) y = ReduceSum <keepdims=1> (a, i) }}", {"i": [-1]}, ["Softmax", "ReduceSum"]),
    ("a node that nobody reads", f"{ROWS} {{ a = Exp (x) y = Relu (x) }}", {}, ["Relu"]),
]


@pytest.mark.parametrize(("text", "constants", "left"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_passes_on_a_small_graph_leave_plain_operators_and_the_same_answers(text, constants, left) -> None:
    assert_leaves(text, constants, left)


@pytest.mark.parametrize("opset", [9, 11, 13, 17, 20, 21])
def test_normalise_opset_of_other_versions_keeps_the_answers(opset: int) -> None:
    axes = {"i": [0]} if opset >= 13 else {}
    unsqueeze = "Unsqueeze (r, i)" if opset >= 13 else "Unsqueeze <axes=[0]> (r)"
    model = graph(
        f"(float[2,6] x) => (float[a,b,c] y) {{ r = Gemm (x, w, b) y = {unsqueeze} }}",
        opset=opset,
        w=random(6, 3),
        b=random(3),
        **axes,
    )
    result = prepared(model)
    assert kinds(result) == ["MatMul", "Add", "Reshape"]
    assert next(e.version for e in result.opset_import if e.domain == "") >= 20


@pytest.mark.parametrize("opset", [1, 6, 99])
def test_normalise_opset_of_unknown_versions_is_refused(opset: int) -> None:
    model = graph(f"{ROWS} {{ y = Relu (x) }}", opset=18)
    model.opset_import[0].version = opset
    with pytest.raises(UnsupportedModel, match=r"opset|onnxruntime"):
        prepared(model)


def test_windows_after_the_pass_are_explicit() -> None:
    model = graph(f'{IMAGE} {{ y = Conv <auto_pad="SAME_LOWER", strides=[2,2]> (x, w) }}', w=random(4, 3, 4, 4))
    (conv,) = prepared(model).graph.node
    assert attributes(conv) == {"kernel_shape": [4, 4], "strides": [2, 2], "pads": [2, 2, 1, 1], "dilations": [1, 1], "group": 1}


def test_inline_functions_of_the_model_leave_none() -> None:
    model = onnx.parser.parse_model("""<ir_version: 9, opset_import: ["" : 18, "own" : 1]>
        g (float[2,6] x) => (float[2,6] y) { y = own.twice (x) }
        <domain: "own", opset_import: ["" : 18]> twice (a) => (b) { b = Add (a, a) }""")
    result = prepared(model)
    assert kinds(result) == ["Add"] and not result.functions


def test_dimensions_from_samples_are_fixed_throughout() -> None:
    model = graph("(float[batch,seq,6] x) => (float[batch,n] y) { y = Flatten (x) }")
    result = prepared(model, [{"x": random(2, 5, 6)}])
    assert Index(result).static_shape("x") == (2, 5, 6)
    assert Index(result).static_shape("y") == (2, 30)
    assert [d.dim_value for d in result.graph.output[0].type.tensor_type.shape.dim] == [2, 30]


def test_dimensions_without_samples_take_batch_one_and_refuse_the_rest() -> None:
    model = graph("(float[batch,6] x) => (float[batch,6] y) { y = Relu (x) }")
    assert Index(prepared(model)).static_shape("x") == (1, 6)
    with pytest.raises(InvalidInput, match="not fixed"):
        prepared(graph("(float[batch,seq] x) => (float[batch,seq] y) { y = Relu (x) }"))


def test_dimensions_that_contradict_the_model_are_refused() -> None:
    with pytest.raises(InvalidInput, match="the model takes"):
        prepared(graph("(float[batch,6] x) => (float[batch,6] y) { y = Relu (x) }"), [{"x": random(1, 7)}])


def test_a_pass_that_changes_the_answer_is_named() -> None:
    def doubles(model: onnx.ModelProto):
        model.graph.node[0].op_type = "Neg"
        return model, [passes.Rewrite("liar", "r", "Relu", "Neg")]

    with pytest.raises(UnsupportedModel, match=r"pass liar.*changed the answer"):
        passes.run(graph(f"{ROWS} {{ y = Relu (x) }}"), {}, [], passes=[("liar", doubles)])


def test_a_pass_that_fails_is_named() -> None:
    def fails(model: onnx.ModelProto):
        raise KeyError("x")

    with pytest.raises(UnsupportedModel, match=r"pass clumsy.*KeyError"):
        passes.run(graph(f"{ROWS} {{ y = Relu (x) }}"), {}, [], passes=[("clumsy", fails)])


def test_pass_files_match_the_table() -> None:
    files = {path.stem for path in Path(passes.__file__).parent.glob("*.py")} - {"__init__"}
    assert files == {name for name, _ in passes.PASSES} | {fix_dimensions.NAME, single_precision.NAME, tensor_outputs.NAME}


@pytest.mark.parametrize(
    ("found", "reason"),
    [
        (np.array([1.0, 2.1], np.float32), "off by"),
        (np.array([1.0, np.nan], np.float32), "not finite"),
        (np.array([[1.0, 2.0]], np.float32), "instead of"),
        (np.array([1.0, 2.0], np.float64), "instead of"),
    ],
)
def test_judge_of_other_answers_says_why(found: np.ndarray, reason: str) -> None:
    assert reason in str(judge.difference([[np.array([1.0, 2.0], np.float32)]], [[found]]))


def test_judge_of_other_decisions_allows_no_tolerance() -> None:
    assert "1 of 2" in str(judge.difference([[np.array([1, 2])]], [[np.array([1, 3])]]))


SCAN = """<ir_version: 9, opset_import: ["" : 18]> g (float[2,3] x) => (float[a,b] s, float[c,d] y) {{
    s, y = Scan <num_scan_inputs=1, body = body (float[2,3] state, float[3] row) => (float[2,3] after, float[2] out) {{
        {body}
    }}> (x, r) }}"""
STEPS = {
    "each step alone": (
        "after = Identity (state) d = Sub (state, row) out = ReduceSumSquare <keepdims=0> (d, last)",
        "spread_scans",
    ),
    "a carried state": ("after = Add (state, row) out = ReduceSumSquare <keepdims=0> (after, last)", "unroll_loops"),
}


@pytest.mark.parametrize("case", STEPS)
def test_scan_is_spread_where_steps_are_alone_and_else_unrolled(case: str) -> None:
    body, name = STEPS[case]
    model = onnx.parser.parse_model(SCAN.format(body=body))
    for constant, value in (("r", random(4, 3)), ("last", np.array([1]))):
        model.graph.initializer.append(onnx.numpy_helper.from_array(value, constant))
    done = load(model, [{"x": random(2, 3)}])
    assert "Scan" not in kinds(done.model)
    assert [rewrite.name for rewrite in done.rewrites if rewrite.before == "Scan"] == [name]


@pytest.mark.parametrize(("read", "written"), [(0, 0), (1, 1)])
def test_scan_backwards_along_another_axis_is_onnxruntimes(read: int, written: int) -> None:
    """The judge compares with onnxruntime: what is asked is that the pass takes it."""
    options = f"scan_input_axes=[1], scan_input_directions=[{read}], scan_output_axes=[1], scan_output_directions=[{written}]"
    text = f"""<ir_version: 9, opset_import: ["" : 18]> g (float[2] x) => (float[2] s, float[2,c] y) {{
        s, y = Scan <num_scan_inputs=1, {options}, body = body (float[2] state, float[2] row) => (float[2] after, float[2] out) {{
            after = Sub (row, state) out = Identity (after)
        }}> (x, r) }}"""
    model = onnx.parser.parse_model(text)
    model.graph.initializer.append(onnx.numpy_helper.from_array(random(2, 4), "r"))
    assert "Scan" not in kinds(prepared(model))


LOOP = """<ir_version: 9, opset_import: ["" : 18]> g (float[2,5] x) => (float[2,5] y, float[5,2] rows) {{
    s = Shape (x) one = Constant <value_int=1> () n = {count} yes = Constant <value = bool {{1}}> ()
    y, rows = Loop <body = b (int64 i, bool c, float[2,5] v) => (bool d, float[2,5] w, float[2] r) {{
        d = {goes_on} k = Constant <value = float {{0.5}}> () last = Constant <value_ints=[1]> ()
        column = Gather <axis=1> (x, i) a = Unsqueeze (column, last) h = Mul (v, k) w = Add (h, a) r = Relu (column)
    }}> (n, yes, x) }}"""


@pytest.mark.parametrize("goes_on", ["Identity (c)", "Constant <value = bool {1}> ()", "Identity (yes)"])
def test_loop_of_a_known_number_of_steps_is_unrolled(goes_on: str) -> None:
    model = onnx.parser.parse_model(LOOP.format(count="Gather (s, one)", goes_on=goes_on))
    done = load(model, [{"x": random(2, 5)}])
    assert "Loop" not in kinds(done.model)
    assert [rewrite.after for rewrite in done.rewrites if rewrite.before == "Loop"] == ["5 times its 8 nodes"]


UNENDING = {
    "a condition that a step decides": ("Gather (s, one)", "Cast <to=9> (i)"),
    "a count that an input decides": ("ReduceMax <keepdims=0> (t)", "Identity (c)"),
    "more steps than a trace holds": ("Constant <value_int=1000000> ()", "Identity (c)"),
}


@pytest.mark.parametrize("case", UNENDING)
def test_loop_that_need_not_end_is_refused_and_not_run(case: str) -> None:
    count, goes_on = UNENDING[case]
    text = LOOP.format(count=count, goes_on=goes_on).replace("s = Shape (x)", "s = Shape (x) t = Cast <to=7> (x)")
    (problem,) = lint(onnx.parser.parse_model(text), [{"x": random(2, 5)}])
    assert problem.operator == "Loop" and "control flow" in problem.reason and "unroll" in problem.fix


@pytest.mark.parametrize("name", dict(passes.PASSES))
def test_pass_takes_a_node_without_inputs(name: str) -> None:
    made = onnx.parser.parse_model("""<ir_version: 9, opset_import: ["" : 20]> g (float[2,3] x) => (float[2,3] y) {
        c = Constant <value = float {0.5}> () y = Mul (x, c) }""")
    dict(passes.PASSES)[name](made)


def test_opset_of_which_one_node_becomes_several_leaves_distinct_names() -> None:
    made = onnx.parser.parse_model("""<ir_version: 7, opset_import: ["" : 11]> g (float[2,3,4] x) => (float[2,3,4] y) {
        y = Softmax <axis=1> (x) }""")
    made.graph.node[0].name = "softmax"
    assert "Softmax" in kinds(prepared(made))
