# SPDX-License-Identifier: MIT OR Apache-2.0
"""`vml compile`, `lint` and `run`: what they read, what they write, what they refuse."""

import json

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from typer.testing import CliRunner

import verifiable_ml as vml
from verifiable_ml.cli import app, files
from verifiable_ml.errors import MalformedEvidence
from verifiable_ml.frontend import zoo

runner = CliRunner()


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def run(*words):
    return runner.invoke(app, [*map(str, words)])


def document(*words):
    return json.loads(run(*words, "--json").stdout)


@pytest.fixture
def model(tmp_path):
    """digits-mlp as a user has it: a file and samples."""
    found = zoo.model("digits-mlp")
    (tmp_path / "model.onnx").write_bytes(found.path.read_bytes())
    np.savez(tmp_path / "samples.npz", pixels=found.samples.calibration)
    return found


@pytest.fixture
def bad_model(tmp_path):
    """Two nodes that nobody can lower."""
    nodes = [helper.make_node("Det", ["x"], ["y"], name="first"), helper.make_node("NonZero", ["y"], ["z"], name="second")]
    x, z = (
        helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 2, 2]),
        helper.make_tensor_value_info("z", TensorProto.INT64, [1, None]),
    )
    graph = helper.make_graph(nodes, "g", [x], [z])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)]), tmp_path / "bad.onnx")


def test_compile_of_a_file_writes_the_program_that_the_library_makes(model, tmp_path):
    done = document("compile", "model.onnx", "--calibration", "samples.npz", "-o", "out/model.vml")
    made = vml.compile(model.path, model.calibration())
    assert done["program"] == made.id.hex() == vml.load("out/model.vml").id.hex()
    saved = json.loads((tmp_path / "out" / "model.vml" / "report.json").read_bytes())
    assert saved == {"fidelity": done["fidelity"], "rewrites": done["rewrites"]}
    assert saved["fidelity"] == made.report.to_json()


def test_compile_for_people_shows_layers_outputs_and_rewrites(model):
    shown = run("compile", "model.onnx", "--calibration", "samples.npz").stdout
    for word in ("Layers", "relu", "matmul", "u8", "Fidelity", "logits", "cosine", "Rewrites", "split_gemm", "program id"):
        assert word in shown


@pytest.mark.parametrize("suffix", ["npz", "npy", "json"])
def test_compile_takes_samples_in_any_format(model, tmp_path, suffix):
    rows = model.samples.calibration[:40]
    np.save("samples.npy", rows[:, None, :])
    np.savez("samples.npz", pixels=rows)
    (tmp_path / "samples.json").write_text(json.dumps(rows.tolist()))
    assert (
        document("compile", "model.onnx", "-c", f"samples.{suffix}")["program"]
        == vml.compile(model.path, model.calibration(40)).id.hex()
    )


def test_compile_below_the_threshold_exits_6_and_writes_nothing(model, tmp_path):
    done = run("compile", "model.onnx", "-c", "samples.npz", "--width", "8", "--threshold", "0.9999999")
    assert done.exit_code == 6
    assert "Layers" in done.stdout
    assert "loses most" in done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model.onnx", "samples.npz"]


@pytest.mark.parametrize(
    ("words", "reason"),
    [
        (["model.onnx"], "no samples"),
        (["model.onnx", "-c", "none.npz"], "No such file"),
        (["model.onnx", "-c", "model.onnx"], "no file of arrays"),
        (["model.onnx", "-c", "text.npz"], "no .npz"),
        (["none.onnx", "-c", "samples.npz"], "cannot be read"),
        (["samples.npz", "-c", "samples.npz"], "not an ONNX file"),
        (["zoo:nobody"], "none of that name"),
        (["model.onnx", "-c", "samples.npz", "-o", "samples.npz"], "no saved program"),
        (["model.onnx", "-c", "uneven.npz"], "arrays hold"),
    ],
)
def test_compile_of_bad_input_exits_2_with_the_reason(model, tmp_path, words, reason):
    (tmp_path / "text.npz").write_text("this is no archive")
    np.savez("uneven.npz", a=np.zeros((2, 64)), b=np.zeros((3, 64)))
    done = run("compile", *words)
    assert done.exit_code == 2
    assert reason in done.stderr


def test_compile_of_an_unsupported_model_exits_3(bad_model):
    np.savez("x.npz", x=np.zeros((5, 1, 2, 2), np.float32))
    done = run("compile", "bad.onnx", "-c", "x.npz")
    assert done.exit_code == 3
    assert "first" in done.stderr
    assert "second" in done.stderr


def test_lint_of_a_bad_model_lists_every_node_and_exits_3(bad_model):
    done = run("lint", "bad.onnx")
    assert done.exit_code == 3
    assert "first" in done.stdout
    assert "second" in done.stdout
    problems = document("lint", "bad.onnx")["problems"]
    assert [problem["node"] for problem in problems] == ["first", "second"]
    assert all(problem["reason"] and problem["fix"] for problem in problems)


@pytest.mark.parametrize("name", zoo.names())
def test_lint_of_the_zoo_finds_nothing(name):
    done = run("lint", f"zoo:{name}")
    assert done.exit_code == 0
    assert "no problem" in done.stdout


def test_run_answers_what_the_library_answers():
    made = vml.compile(zoo.model("digits-cnn").path, zoo.model("digits-cnn").calibration())
    x = zoo.model("digits-cnn").test(4)[0][3]
    claim, trace = made.run(x)
    done = document("run", "zoo:digits-cnn", "--input", "digits-cnn:3", "--claim", "x.claim", "--trace")
    assert done["outputs"]["logits"] == made.predict(x)[0].tolist()
    assert (done["claim_id"], done["trace_root"]) == (claim.id.hex(), trace.root.hex())
    assert done["tensor_roots"] == [root.hex() for root in trace.roots]
    assert files.read_claim(files.Path("x.claim")) == claim


@pytest.mark.parametrize("suffix", ["npy", "npz", "json"])
def test_run_takes_an_input_in_any_format(tmp_path, suffix):
    x = zoo.model("digits-mlp").test(4)[0][3]["pixels"]
    np.save("x.npy", x)
    np.savez("x.npz", pixels=x)
    (tmp_path / "x.json").write_text(json.dumps({"pixels": x.tolist()}))
    expected = document("run", "zoo:digits-mlp", "--input", "digits-mlp:3")
    assert document("run", "zoo:digits-mlp", "--input", f"x.{suffix}") == expected


@pytest.mark.parametrize("rows", [(3, 64), (3, 1, 64)], ids=str)
def test_run_on_a_file_with_many_rows_says_of_each_what_it_says_of_it_alone(rows):
    x = np.stack([sample["pixels"] for sample in zoo.model("digits-mlp").test(3)[0]])
    np.save("x.npy", x.reshape(rows))
    done = document("run", "zoo:digits-mlp", "--input", "x.npy")
    assert len(done["samples"]) == 3
    for place, sample in enumerate(done["samples"]):
        alone = document("run", "zoo:digits-mlp", "--input", f"digits-mlp:{place}")
        assert {"program_id": done["program_id"], **sample} == alone
    assert done["samples"][2]["claim_id"][:16] in run("run", "zoo:digits-mlp", "--input", "x.npy").stdout
    assert run("run", "zoo:digits-mlp", "--input", "x.npy", "--claim", "x.claim").exit_code == 2


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (np.full((1, 64), np.nan), "NaN"),
        (np.full((1, 64), np.inf), "infinity"),
        (np.zeros((1, 63)), "shape"),
        (np.full((1, 64), 1e6), "beyond what calibration has seen"),
        (np.array([["a"] * 64]), "numbers"),
    ],
)
def test_run_on_a_bad_input_exits_2_with_the_reason(value, reason):
    np.save("x.npy", value)
    done = run("run", "zoo:digits-mlp", "--input", "x.npy")
    assert done.exit_code == 2
    assert reason in done.stderr


def test_run_on_a_pickle_never_loads_it():
    np.save("x.npy", np.array([object()]), allow_pickle=True)
    done = run("run", "zoo:digits-mlp", "--input", "x.npy")
    assert done.exit_code == 2
    assert "plain numbers" in done.stderr


@pytest.mark.parametrize("sample", ["digits-mlp:540", "digits-mlp:-1", "nobody:3"])
def test_run_on_a_sample_that_is_not_there_exits_2(sample):
    assert run("run", "zoo:digits-mlp", "--input", sample).exit_code == 2


@pytest.mark.parametrize("name", ["program.json", "weights.safetensors", "manifest.json", "report.json"])
def test_run_of_a_program_with_a_flipped_byte_exits_2(tmp_path, name):
    run("compile", "zoo:digits-mlp", "-o", "p.vml")
    path = tmp_path / "p.vml" / name
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))
    done = document("run", "p.vml", "--input", "digits-mlp:3")
    assert done["error"] == "MalformedProgram"


def test_claim_file_with_another_byte_order_is_refused(tmp_path):
    run("run", "zoo:digits-mlp", "--input", "digits-mlp:3", "--claim", "x.claim")
    data = (tmp_path / "x.claim").read_bytes()
    for wrong in (data + b"\n", data.replace(b"  ", b""), data.upper(), data[:-30], b"[]", b"\xff", b"[" * 100_000):
        (tmp_path / "y.claim").write_bytes(wrong)
        with pytest.raises(MalformedEvidence):
            files.read_claim(tmp_path / "y.claim")
