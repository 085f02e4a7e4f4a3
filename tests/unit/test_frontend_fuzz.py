# SPDX-License-Identifier: MIT OR Apache-2.0
"""A stranger's bytes: whatever happens to a model file, load() answers or raises an error of ours, and nothing else."""

from __future__ import annotations

from collections.abc import Iterable

import onnx
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from verifiable_ml.errors import VerifiableMlError
from verifiable_ml.frontend import load, zoo

HONEST = {name: zoo.model(name).path.read_bytes() for name in ("digits-cnn", "credit-default", "digits-transformer")}
Edit = tuple[str, int, bytes]  # what to do; where, from the front or (negative) from the end; with which bytes

# Weights fill the middle of a file: the places are drawn from both ends, where nodes and types are, and from anywhere.
PLACES = st.integers(0, 2500) | st.integers(-900, -1) | st.integers(0, 25_000)
KINDS = st.sampled_from(("change", "change", "change", "cut", "double", "end"))
EDITS = st.lists(st.tuples(KINDS, PLACES, st.binary(min_size=1, max_size=2)), min_size=1, max_size=3)
TARGETS = st.sampled_from(
    ("operator", "input", "output", "attribute", "no attribute", "shape", "type", "data", "dimension", "opset", "no node")
)
TAMPERINGS = st.lists(st.tuples(TARGETS, st.integers(0, 99), st.integers(0, 99), st.integers(-3, 40)), min_size=1, max_size=3)
KNOWN = (
    "Identity",
    "Shape",
    "Loop",
    "Add",
    "Gemm",
    "Slice",
    "Split",
    "BatchNormalization",
    "MaxPool",
    "Pow",
    "Div",
    "Nonsense",
    "Squeeze",
    "ReduceMean",
    "Concat",
    "Cast",
    "Pad",
    "Gather",
    "Resize",
    "LSTM",
    "ConvTranspose",
    "Reshape",
    "Dropout",
    "ArgMax",
)


def mutated(data: bytes, edits: Iterable[Edit]) -> bytes:
    for kind, place, new in edits:
        at, size = place % max(len(data), 1), len(new)
        middle = {"change": new, "cut": b"", "double": data[at : at + size] * 2, "end": b""}[kind]
        data = data[:at] + middle + (b"" if kind == "end" else data[at + size :])
    return data


def tampered(data: bytes, tamperings: Iterable[tuple[str, int, int, int]]) -> bytes:
    """The same, a level up: the framing of protobuf stays intact, the graph does not."""
    model = onnx.ModelProto.FromString(data)
    for kind, first, second, value in tamperings:
        if not model.graph.node:
            break
        node = model.graph.node[first % len(model.graph.node)]
        names = [name for other in model.graph.node for name in (*other.input, *other.output)]
        tensor = model.graph.initializer[first % len(model.graph.initializer)]
        match kind:
            case "operator":
                node.op_type = KNOWN[second % len(KNOWN)]
            case "input" if node.input:
                node.input[second % len(node.input)] = names[value % len(names)]
            case "output":
                node.output[0] = names[value % len(names)]
            case "attribute" if node.attribute:
                attribute = node.attribute[second % len(node.attribute)]
                changed = value if second % 2 else [value] * (second % 4 + 1)
                attribute.CopyFrom(onnx.helper.make_attribute(attribute.name, changed))
            case "no attribute":
                del node.attribute[:]
            case "shape":
                tensor.dims.append(value)
            case "type":
                tensor.data_type = value
            case "data":
                tensor.raw_data = tensor.raw_data[:value]
            case "dimension":
                size = 10 ** (value % 4 + value // 20 * 8) if value > 0 else value  # small, or beyond every machine
                model.graph.input[0].type.tensor_type.shape.dim[0].dim_value = size
            case "opset":
                model.opset_import[0].version = value
            case "no node":
                del model.graph.node[first % len(model.graph.node)]
    return model.SerializeToString()


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(sorted(HONEST)), TAMPERINGS)
def test_load_of_a_tampered_graph_gives_a_model_or_a_typed_error(name: str, tamperings: list[tuple[str, int, int, int]]) -> None:
    try:
        prepared = load(tampered(HONEST[name], tamperings))
    except VerifiableMlError as error:
        assert error.thing and error.reason and error.hint
    else:
        assert prepared.problems == ()


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(sorted(HONEST)), EDITS)
def test_load_of_mutated_bytes_gives_a_model_or_a_typed_error(name: str, edits: list[Edit]) -> None:
    try:
        prepared = load(mutated(HONEST[name], edits))
    except VerifiableMlError as error:
        assert error.thing and error.reason and error.hint
    else:
        assert prepared.problems == ()


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=200))
@example(b"")
def test_load_of_any_bytes_raises_a_typed_error(data: bytes) -> None:
    try:
        load(data)
    except VerifiableMlError as error:
        assert error.exit_code in (2, 3)
    else:
        raise AssertionError("200 bytes became a model")
