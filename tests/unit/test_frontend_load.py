# SPDX-License-Identifier: MIT OR Apache-2.0
"""load and lint: what comes out, and every problem with its node, its reason and its way out."""

from __future__ import annotations

import numpy as np
import onnx
import onnx.parser
import pytest

from verifiable_ml.errors import BackendUnavailable, InvalidInput, UnsupportedModel, UnsupportedOperator
from verifiable_ml.frontend import judge, lint, load, zoo
from verifiable_ml.frontend.operators import OPERATORS
from verifiable_ml.quantize.lower import LOWERINGS


def model(body: str, inputs: str = "float[1,3,8,8] x", outputs: str = "float[a,b,c,d] y") -> onnx.ModelProto:
    header = '<ir_version: 9, opset_import: ["" : 18, "com.acme" : 1]>'
    return onnx.parser.parse_model(f"{header} g ({inputs}) => ({outputs}) {{ {body} }}")


@pytest.mark.parametrize("name", zoo.names())
def test_load_of_a_zoo_model_keeps_its_answers(name: str) -> None:
    entry = zoo.model(name)
    samples, _ = entry.test(40)
    prepared = load(entry.path, entry.calibration(8))
    assert {node.op_type for node in prepared.model.graph.node} <= OPERATORS.keys()
    assert not prepared.problems and len(prepared.samples) == 8
    expected = judge.outputs(onnx.load(entry.path), samples, name)
    assert judge.difference(expected, judge.outputs(prepared.model, samples, name)) is None


@pytest.mark.parametrize("name", zoo.names())
def test_load_twice_gives_the_same_bytes(name: str) -> None:
    entry = zoo.model(name)
    first, second = (load(entry.path, entry.calibration(8)).model.SerializeToString(deterministic=True) for _ in range(2))
    assert first == second


def test_load_of_a_prepared_model_changes_nothing() -> None:
    prepared = load(zoo.model("digits-transformer").path)
    again = load(prepared.model)
    assert again.rewrites == () and again.model == prepared.model


def test_transformer_keeps_its_fused_nodes() -> None:
    kinds = [node.op_type for node in load(zoo.model("digits-transformer").path).model.graph.node]
    assert [kinds.count(kind) for kind in ("LayerNormalization", "Softmax", "Gelu", "Erf", "Gemm")] == [3, 1, 1, 0, 0]


def test_lint_of_the_zoo_finds_nothing() -> None:
    assert [lint(zoo.model(name).path) for name in zoo.names()] == [()] * len(zoo.names())


def test_lint_lists_every_problem_in_graph_order() -> None:
    found = lint(model("a = Det (x) b = Relu (a) c = Mod <fmod=1> (b, b) y = Pow (c, c)", outputs="float[a,b] y"))
    assert [(p.node, p.operator) for p in found] == [("a", "Det"), ("c", "Mod"), ("y", "Pow")]
    assert "no lowering" in found[0].reason and "Sigmoid" in found[0].fix and all(p.reason and p.fix for p in found)


def test_load_with_several_problems_names_them_all() -> None:
    with pytest.raises(UnsupportedOperator) as caught:
        load(model("a = Pow (x, x) b = Relu (a) y = Det (b)", outputs="float[a,b] y"))
    assert caught.value.thing == "2 nodes" and caught.value.exit_code == 3
    assert all(text in caught.value.reason for text in ("`a` (Pow)", "`y` (Det)"))


PROBLEMS = [
    ("y = ai_acme (x)", "ai_acme", "no version of ONNX"),
    ("y = com.acme.Thing (x)", "Thing", "its domain is 'com.acme'"),
    ("a = NonZero (x) b = Cast <to=1> (a) y = Unsqueeze (b, z)", "NonZero", "no lowering"),
    ("y, i = MaxPool <kernel_shape=[2,2]> (x)", "MaxPool", "its indices are used"),
    ("y = AveragePool <kernel_shape=[3,3], strides=[2,2], ceil_mode=1> (x)", "", ""),
    ('y = Pad <mode="reflect"> (x, p)', "", ""),
    ("y = Pow (x, x)", "Pow", "not one constant number"),
    ("a = MatMul (x, x) y = Div (a, x)", "", ""),
    ("y = BatchNormalization (x, s, s, s, v)", "", ""),
]


@pytest.mark.parametrize(("body", "operator", "reason"), PROBLEMS, ids=[p[1] or "none" for p in PROBLEMS])
def test_lint_of_one_problem_says_why(body: str, operator: str, reason: str) -> None:
    outputs = "float[a,b,c,d] y, int64[e,f,g,h] i" if "i =" in body else "float[a,b,c,d] y"
    proto = model(body, "float[1,3,8,8] x, float[3] v", outputs)
    constants = {"p": np.array([0, 0, 1, 1, 0, 0, 1, 1], np.int64), "z": np.array([0, 1], np.int64), "s": np.ones(3, np.float32)}
    proto.graph.initializer.extend(onnx.numpy_helper.from_array(value, name) for name, value in constants.items())
    found = lint(proto)
    assert (not operator and found == ()) or (found[0].operator == operator and reason in found[0].reason and found[0].fix)


def test_lint_of_arithmetic_in_another_type_asks_for_float32() -> None:
    (problem,) = lint(model("y = Abs (x)", "int64[2,3] x", "int64[2,3] y"))
    assert "not FLOAT" in problem.reason and "float32" in problem.fix


@pytest.mark.parametrize("kind", [np.float16, np.float64])
def test_load_of_a_model_in_another_precision_makes_it_single(kind: type) -> None:
    name = {np.float16: "float16", np.float64: "double"}[kind]
    prepared = load(model("y = Abs (x)", f"{name}[2,3] x", f"{name}[2,3] y"), [np.ones((2, 3), kind)])
    assert prepared.samples[0]["x"].dtype == np.float32
    assert prepared.model.graph.output[0].type.tensor_type.elem_type == onnx.TensorProto.FLOAT


def test_load_of_a_decision_keeps_whole_numbers() -> None:
    prepared = load(model("a = ArgMax <axis=1> (x) y = Squeeze (a)", "float[2,3] x", "int64[e] y"))
    assert [node.op_type for node in prepared.model.graph.node] == ["ArgMax", "Reshape"]


def test_operators_of_the_contract_are_those_that_quantise_lowers() -> None:
    assert OPERATORS.keys() == LOWERINGS.keys()


def test_lint_of_a_loop_refuses_it_without_running_it() -> None:
    body = onnx.parser.parse_graph("b (int64 i, bool c, float[2] v) => (bool d, float[2] w) { d = Identity (c) w = Add (v, v) }")
    proto = model("n = Constant <value_int=9223372036854775807> () y = Relu (x)", "float[2] x, bool go", "float[2] y")
    proto.graph.node[-1].CopyFrom(onnx.helper.make_node("Loop", ["n", "go", "x"], ["y"], name="forever", body=body))
    (problem,) = lint(proto)
    assert problem.node == "forever" and "control flow" in problem.reason and "unroll" in problem.fix


def test_lint_of_another_opset_is_one_problem() -> None:
    proto = model("y = Relu (x)")
    proto.opset_import[0].version = 5
    (problem,) = lint(proto)
    assert "opset 5" in problem.node and "18" in problem.fix


@pytest.mark.parametrize(
    ("samples", "reason"),
    [
        ([{"pixels": np.full((1, 64), np.nan)}], "NaN"),
        ([{"pixels": np.full((1, 64), np.inf)}], "infinite"),
        ([{"pixels": np.zeros((1, 63))}], "the model takes"),
        ([{"pixels": np.zeros(64)}], "the model takes"),
        ([{"other": np.zeros((1, 64))}], "has the inputs"),
        ([{}], "has the inputs"),
        ([{"pixels": np.zeros((1, 64))}, {"pixels": np.zeros((2, 64))}], "sample 0 has"),
        ([{"pixels": np.array([["a"] * 64])}], "has type"),
        ([{"pixels": [[1], [2, 3]]}], "is no array"),
        ([{"pixels": np.zeros((1, 64), np.complex64)}], "has type"),
        ([None], "has type"),
    ],
    ids=["nan", "infinite", "width", "rank", "name", "none", "unequal", "text", "ragged", "complex", "nothing"],
)
def test_load_with_bad_samples_is_invalid(samples: list, reason: str) -> None:
    with pytest.raises(InvalidInput, match=reason):
        load(zoo.model("digits-mlp").path, samples)


@pytest.mark.parametrize(
    "sample",
    [np.zeros((3, 64), np.uint8), {"pixels": np.ones((3, 64), np.float64)}, np.zeros((3, 64)).tolist()],
    ids=["bytes", "doubles", "list"],
)
def test_load_with_samples_of_other_number_types_converts_them(sample: object) -> None:
    prepared = load(zoo.model("digits-mlp").path, [sample])
    assert prepared.samples[0]["pixels"].dtype == np.float32
    assert prepared.model.graph.output[0].type.tensor_type.shape.dim[0].dim_value == 3


def test_load_of_a_model_that_onnxruntime_refuses_is_unsupported() -> None:
    with pytest.raises(UnsupportedModel, match="onnxruntime"):
        load(model("y = MatMul (x, w)", "float[1,3,8,8] x, float[5,5] w"))


def test_load_of_a_torch_module_traces_it_with_a_sample() -> None:
    torch = pytest.importorskip("torch")
    nn = torch.nn
    module = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.ReLU(), nn.Dropout(), nn.Flatten(), nn.Linear(72, 3))
    module[1].running_mean += 0.5
    sample = np.random.default_rng(0).normal(size=(1, 1, 8, 8)).astype(np.float32)
    prepared = load(module, [sample])
    assert [node.op_type for node in prepared.model.graph.node] == ["Conv", "Relu", "Reshape", "MatMul", "Add"]
    assert module.training and module[3].training
    (name,) = prepared.samples[0]
    (answer,) = judge.outputs(prepared.model, [{name: sample}], "prepared")[0]
    with torch.no_grad():
        assert np.allclose(answer, module.eval()(torch.from_numpy(sample)).numpy(), atol=1e-5)


def test_lint_of_a_torch_module_names_the_layer() -> None:
    torch = pytest.importorskip("torch")

    class Wave(torch.nn.Module):
        def forward(self, x):
            return torch.fmod(x, x)

    (problem,) = lint(torch.nn.Sequential(torch.nn.Linear(4, 4), Wave()), [np.zeros((1, 4), np.float32)])
    assert (problem.operator, problem.origin) == ("Mod", "1") and "from 1" in str(problem)


def test_load_of_a_torch_module_without_samples_or_exporter_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    torch = pytest.importorskip("torch")
    with pytest.raises(InvalidInput, match="needs a sample"):
        load(torch.nn.Linear(4, 4))
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(BackendUnavailable, match="pip install"):
        load(torch.nn.Linear(4, 4), [np.zeros((1, 4), np.float32)])


def test_load_of_a_torch_module_that_cannot_be_exported_is_unsupported() -> None:
    torch = pytest.importorskip("torch")
    with pytest.raises(UnsupportedModel, match=r"torch.onnx.export gave up"):
        load(torch.nn.Linear(4, 4), [np.zeros((1, 5), np.float32)])


SETTING = "r = Constant <value_ints=[16000]> () is = Equal (rate, r) y = If (is) <then_branch = a () => (float[2,3] t) \
{ t = Neg (x) }, else_branch = b () => (float[2,3] e) { e = Relu (x) }>"


@pytest.mark.parametrize(("value", "kind"), [(16000, "Neg"), (8000, "Relu")])
def test_load_with_a_fixed_input_decides_what_it_decides(value: int, kind: str) -> None:
    given = model(SETTING, "float[2,3] x, int64[1] rate")
    rows = [{"x": np.ones((2, 3), np.float32), "rate": np.array([value])}]
    prepared = load(given, rows, fixed={"rate": value})
    assert [node.op_type for node in prepared.model.graph.node] == [kind]
    assert {*prepared.samples[0]} == {"x"}


@pytest.mark.parametrize(
    ("fixed", "reason"),
    [
        ({"rat": 1}, "none of that name"),
        ({"rate": 1.5}, "does not fit"),
        ({"rate": [1, 2]}, "does not fit"),
        ({"rate": "fast"}, "no value"),
        ({"rate": 16000}, "is fixed"),
    ],
)
def test_load_with_a_wrong_fixed_input_is_refused(fixed: dict[str, object], reason: str) -> None:
    rows = [{"x": np.ones((2, 3), np.float32), "rate": np.array([1])}]
    with pytest.raises(InvalidInput, match=reason):
        load(model(SETTING, "float[2,3] x, int64[1] rate"), rows, fixed=fixed)


def test_load_takes_a_negative_dimension_for_an_open_one() -> None:
    given = model("y = Relu (x)", "float[n,3] x", "float[m,3] y")
    given.graph.input[0].type.tensor_type.shape.dim[0].dim_value = -1
    assert load(given, [np.ones((2, 3), np.float32)]).samples[0]["x"].shape == (2, 3)
