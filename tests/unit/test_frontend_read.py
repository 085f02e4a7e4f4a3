# SPDX-License-Identifier: MIT OR Apache-2.0
"""Bad files: each gets a typed error that names the thing and the way out."""

from __future__ import annotations

import os
import pickle
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from verifiable_ml.errors import InvalidInput, MalformedModel, VerifiableMlError
from verifiable_ml.frontend import load, zoo
from verifiable_ml.frontend.read import parse, read

HONEST = zoo.model("digits-mlp").path


def external(folder: Path, location: str, **entries: int) -> Path:
    """A model beside 4 kB of data.bin, its one weight at `location`."""
    weight = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[4, 3], data_location=TensorProto.EXTERNAL)
    for key, value in {"location": location, **entries}.items():
        weight.external_data.add(key=key, value=str(value))
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["y"])],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 4])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 3])],
        [weight],
    )
    path = folder / "model" / "model.onnx"
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9).SerializeToString())
    for place in (path.parent, folder):
        (place / "data.bin").write_bytes(np.arange(1024, dtype=np.float32).tobytes())
    return path


def test_read_of_a_path_bytes_and_proto_gives_the_same_model() -> None:
    proto = onnx.load(HONEST)
    assert read(HONEST) == read(str(HONEST)) == read(HONEST.read_bytes()) == read(proto)


def test_load_of_a_proto_leaves_it_alone() -> None:
    proto = onnx.load(HONEST)
    before = proto.SerializeToString(deterministic=True)
    load(proto)
    assert proto.SerializeToString(deterministic=True) == before


@pytest.mark.parametrize("size", [0, 1, 100, 5000, -1])
def test_read_of_a_truncated_file_is_malformed(size: int, tmp_path: Path) -> None:
    path = tmp_path / "cut.onnx"
    path.write_bytes(HONEST.read_bytes()[:size])
    with pytest.raises(MalformedModel) as caught:
        load(path)
    assert str(path) in caught.value.thing or "the model" in caught.value.thing


@pytest.mark.parametrize(
    "data",
    [b"", b"hello", pickle.dumps({"a": 1}), b"\x89PNG\r\n\x1a\n" * 9, bytes(64)],
    ids=["empty", "text", "pickle", "png", "zeros"],
)
def test_read_of_another_kind_of_file_is_malformed(data: bytes) -> None:
    with pytest.raises(MalformedModel, match="ONNX"):
        load(data)


@pytest.mark.parametrize("as_bytes", [True, False])
def test_read_of_an_oversized_file_is_malformed(as_bytes: bool) -> None:
    with pytest.raises(MalformedModel, match="the limit is 1000"):
        load(HONEST.read_bytes() if as_bytes else HONEST, limit_bytes=1000)


def test_read_of_a_sparse_file_of_three_gigabytes_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "large.onnx"
    with path.open("wb") as file:
        file.truncate(3 * 2**30)
    with pytest.raises(MalformedModel, match="3221225472 bytes"):
        load(path)


def test_read_of_no_file_names_the_path(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match=r"none.onnx"):
        load(tmp_path / "none.onnx")
    with pytest.raises(InvalidInput):
        load(tmp_path)


@pytest.mark.parametrize("source", [None, 3, {"a": 1}, np.zeros(3)], ids=str)
def test_read_of_another_type_is_invalid(source: object) -> None:
    with pytest.raises(InvalidInput, match="is not a path"):
        load(source)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_read_of_weights_that_are_not_finite_names_the_tensor(value: float) -> None:
    model = onnx.load(HONEST)
    weights = numpy_helper.to_array(model.graph.initializer[0]).copy()
    weights.flat[5] = value
    model.graph.initializer[0].CopyFrom(numpy_helper.from_array(weights, "hidden.weight"))
    with pytest.raises(MalformedModel, match=r"tensor 'hidden.weight'.*(NaN|infinite)"):
        load(model)


def test_read_of_an_infinite_bound_is_fine() -> None:
    text = '<ir_version: 9, opset_import: ["" : 18]> g (float[2] x) => (float[2] y) { y = Clip (x, low, high) }'
    model = onnx.parser.parse_model(text)
    model.graph.initializer.extend(numpy_helper.from_array(np.float32(v), n) for n, v in (("low", 0.0), ("high", np.inf)))
    assert [node.op_type for node in load(model).model.graph.node] == ["Clip"]


def test_external_data_beside_the_model_is_read(tmp_path: Path) -> None:
    model = read(external(tmp_path, "data.bin", offset=16, length=48))
    assert numpy_helper.to_array(model.graph.initializer[0]).ravel().tolist() == list(range(4, 16))


@pytest.mark.parametrize(
    "location",
    ["../data.bin", "/etc/passwd", "sub/../../data.bin", "", "..", ".", "a\0b", "..\\data.bin", "link.bin", "linked/data.bin"],
)
def test_external_data_outside_the_folder_is_refused(location: str, tmp_path: Path) -> None:
    path = external(tmp_path, location, offset=0, length=48)
    os.symlink(tmp_path / "data.bin", path.parent / "link.bin")
    os.symlink(tmp_path, path.parent / "linked")
    with pytest.raises(MalformedModel, match="tensor 'w'"):
        load(path)


@pytest.mark.parametrize(
    "entries",
    [
        {"offset": 4090, "length": 48},
        {"offset": -4, "length": 48},
        {"offset": 0, "length": -1},
        {"length": 47},
        {"offset": 10**30},
    ],
)
def test_external_data_beyond_its_file_is_refused(entries: dict[str, int], tmp_path: Path) -> None:
    with pytest.raises(MalformedModel, match=r"tensor.* '?w"):
        load(external(tmp_path, "data.bin", **entries))


def test_external_data_that_is_missing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MalformedModel, match="cannot be read"):
        load(external(tmp_path, "none.bin", length=48))


def test_external_data_of_bytes_has_no_folder(tmp_path: Path) -> None:
    path = external(tmp_path, "data.bin", offset=0, length=48)
    with pytest.raises(MalformedModel, match="has no folder"):
        load(path.read_bytes())


def test_read_of_text_that_is_not_utf8_is_malformed() -> None:
    data = HONEST.read_bytes().replace(b"node_linear_1", b"node_linear\xff1")
    with pytest.raises(MalformedModel):
        parse(data, "the model")


def test_read_of_a_cyclic_graph_is_malformed() -> None:
    model = onnx.load(HONEST)
    model.graph.node[0].input[0] = "relu"
    with pytest.raises(MalformedModel, match="breaks a rule of ONNX"):
        load(model)


def test_errors_of_the_frontend_say_the_way_out() -> None:
    with pytest.raises(VerifiableMlError) as caught:
        load(b"no model")
    assert caught.value.to_json().keys() == {"error", "thing", "reason", "hint"} and caught.value.exit_code == 2
