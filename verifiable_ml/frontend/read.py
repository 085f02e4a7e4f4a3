# SPDX-License-Identifier: MIT OR Apache-2.0
"""A stranger's file becomes a well-formed ModelProto, or a typed error that says what is wrong with it.

In: a path, bytes or a ModelProto. Out: a ModelProto of our own, its external data inside it. Runs nothing.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import numpy as np
import onnx
from google.protobuf.message import DecodeError, EncodeError, Message  # type: ignore[import-untyped]
from onnx import numpy_helper

from verifiable_ml.errors import InvalidInput, MalformedModel

LIMIT_BYTES = 2**31 - 1  # what one protobuf message can hold
MAY_BE_INFINITE = frozenset({"Where", "Clip", "Pad", "Min", "Max", "If", "Add"})  # bounds and masks, not weights
SETS = (".membership_values", ".nodes_splits")  # of a TreeEnsemble: NaN ends a set, and stands for what a set replaces

Source = str | os.PathLike[str] | bytes | onnx.ModelProto


def read(source: Source, *, limit_bytes: int = LIMIT_BYTES) -> onnx.ModelProto:
    """The model in a file, in bytes or in memory, checked; the caller's proto is never changed.

    Raises InvalidInput (no such file, wrong type), MalformedModel (not ONNX, truncated, oversized, external data outside its
    folder, weights that are not finite).
    """
    if isinstance(source, onnx.ModelProto):
        model = onnx.ModelProto()
        model.CopyFrom(source)
        thing, folder = "the model", None
    elif isinstance(source, bytes):
        model, thing, folder = parse(source, "the model", limit_bytes), "the model", None
    elif isinstance(source, (str, os.PathLike)):
        path = Path(source)
        model, thing, folder = parse(_file_bytes(path, limit_bytes), str(path), limit_bytes), str(path), path.parent
    else:
        raise InvalidInput(
            thing=f"a model of type {type(source).__name__}",
            reason="is not a path, bytes, ModelProto or torch module",
            hint="export it to ONNX first",
        )
    _embed_external_data(model, thing, folder, limit_bytes)
    _check(model, thing)
    check_finite(model, thing)
    return model


def parse(data: bytes, thing: str, limit_bytes: int = LIMIT_BYTES) -> onnx.ModelProto:
    """Bytes to ModelProto. Raises MalformedModel; anything that protobuf accepts by chance must still have a graph."""
    if len(data) > limit_bytes:
        raise _oversized(thing, len(data), limit_bytes)
    try:
        model: onnx.ModelProto = onnx.ModelProto.FromString(data)
        _check_text(model)
    except (DecodeError, UnicodeError) as error:
        raise MalformedModel(
            thing=thing,
            reason=f"is not an ONNX file, or a truncated one ({len(data)} bytes)",
            hint="export it again; a torch checkpoint or a pickle has to be exported to ONNX first",
        ) from error
    if not model.HasField("graph") or not model.graph.output or not model.opset_import:
        raise MalformedModel(
            thing=thing,
            reason="holds no graph with an output and an opset, so it is not an ONNX model",
            hint="export it again; a torch checkpoint or a pickle has to be exported to ONNX first",
        )
    return model


def _check_text(message: Message) -> None:
    """Raise UnicodeError for text that is not UTF-8: protobuf hands it out as bytes, and much later something trips over it."""
    for described, value in message.ListFields():
        if isinstance(value, Message):
            _check_text(value)
        elif described.message_type is not None:
            for part in value:
                _check_text(part)
        elif described.type == described.TYPE_STRING and any(isinstance(text, bytes) for text in (value, *value)):
            raise UnicodeError(described.name)


def tensors(graph: onnx.GraphProto) -> Iterator[tuple[onnx.TensorProto, str]]:
    """Every tensor of a graph with its name, those in attributes and in subgraphs included."""
    for tensor in graph.initializer:
        yield tensor, tensor.name
    for sparse in graph.sparse_initializer:
        yield sparse.values, sparse.values.name
        yield sparse.indices, sparse.values.name
    yield from _attribute_tensors(graph.node)


def _attribute_tensors(nodes: Iterator[onnx.NodeProto]) -> Iterator[tuple[onnx.TensorProto, str]]:
    for node in nodes:
        for attribute in node.attribute:
            for tensor in (*([attribute.t] if attribute.HasField("t") else []), *attribute.tensors):
                yield tensor, f"{node.name or node.op_type}.{attribute.name}"
            for sub in (*([attribute.g] if attribute.HasField("g") else []), *attribute.graphs):
                yield from tensors(sub)


def check_finite(model: onnx.ModelProto, thing: str) -> None:
    """Raise MalformedModel for NaN anywhere and for infinities in weights; infinite bounds and masks may stay."""
    bounds = {name for node in model.graph.node if node.op_type in MAY_BE_INFINITE for name in node.input}
    bounds |= {f"{n.name or n.op_type}.value" for n in model.graph.node if n.op_type == "Constant" and bounds & {*n.output}}
    for tensor, name in (*tensors(model.graph), *(t for f in model.functions for t in _attribute_tensors(iter(f.node)))):
        values = _floats(tensor, thing)
        if values is None or np.isfinite(values).all():
            continue
        kind = "NaN" if np.isnan(values).any() else "infinite values"
        if (kind == "NaN" and not name.endswith(SETS)) or (kind != "NaN" and name not in bounds):
            raise MalformedModel(
                thing=f"tensor {name!r} of {thing}",
                reason=f"contains {kind}",
                hint="train again with a lower rate or gradient clipping, or export a checkpoint from before it diverged",
            )


def _floats(tensor: onnx.TensorProto, thing: str) -> np.ndarray | None:
    try:
        values = numpy_helper.to_array(tensor)
    except Exception as error:  # whatever onnx trips over in a stranger's tensor: lengths, types, dimensions
        raise MalformedModel(
            thing=f"tensor {tensor.name!r} of {thing}", reason=f"cannot be decoded: {error}", hint="export the model again"
        ) from error
    return (
        values.astype(np.float32)
        if values.dtype.kind not in "biuSOU" and values.dtype.itemsize < 4
        else (values if values.dtype.kind in "fc" else None)
    )


def _file_bytes(path: Path, limit_bytes: int) -> bytes:
    try:
        if path.is_char_device() or path.is_block_device():
            raise ValueError("it is a device")  # one without an end would fill the memory
        size = path.stat().st_size
        data = read_at_most(path, limit_bytes + 1) if size <= limit_bytes else b""
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InvalidInput(
            thing=str(path), reason=f"cannot be read: {reason}", hint="check the path and its permissions"
        ) from error
    if max(size, len(data)) > limit_bytes:
        raise _oversized(str(path), max(size, len(data)), limit_bytes)
    return data


def read_at_most(path: Path, limit: int) -> bytes:
    """The first `limit` bytes: a pipe or a device says no size, and may have no end. Raises OSError."""
    parts, room = [], limit
    with path.open("rb") as file:
        while room and (part := file.read(min(room, 1 << 20))):
            parts.append(part)
            room -= len(part)
    return b"".join(parts)


def _oversized(thing: str, size: int, limit: int) -> MalformedModel:
    return MalformedModel(
        thing=thing,
        reason=f"has {size} bytes, the limit is {limit}",
        hint="raise limit_bytes, up to what one protobuf message holds; quantise or split a larger model",
    )


def unknown_operators(model: onnx.ModelProto) -> list[onnx.NodeProto]:
    """Nodes that claim a standard operator which no opset has."""
    own = {function.name for function in model.functions}
    return [n for n in model.graph.node if n.domain in ("", "ai.onnx") and n.op_type not in own and not onnx.defs.has(n.op_type)]


def _check(model: onnx.ModelProto, thing: str) -> None:
    if unknown_operators(model):
        return  # onnx's checker would stop at the first; load and lint report them all
    try:
        onnx.checker.check_model(model, full_check=False)
    except (onnx.checker.ValidationError, EncodeError, ValueError, RuntimeError, TypeError) as error:
        first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise MalformedModel(thing=thing, reason=f"breaks a rule of ONNX: {first}", hint="export the model again") from error


def _embed_external_data(model: onnx.ModelProto, thing: str, folder: Path | None, limit_bytes: int) -> None:
    """Read every external tensor from inside `folder`, in place. Absolute paths, `..` and links are refused."""
    total = 0
    for tensor, name in tensors(model.graph):
        if tensor.data_location != onnx.TensorProto.EXTERNAL:
            continue
        entries = {entry.key: entry.value for entry in tensor.external_data}
        path = _inside(folder, entries.get("location", ""), f"tensor {name!r} of {thing}")
        data = _slice(path, entries, f"tensor {name!r} of {thing}")
        total += len(data)
        if total > limit_bytes:
            raise _oversized(thing, total, limit_bytes)
        tensor.raw_data = data
        del tensor.external_data[:]
        tensor.data_location = onnx.TensorProto.DEFAULT


def _inside(folder: Path | None, location: str, thing: str) -> Path:
    if folder is None:
        raise MalformedModel(
            thing=thing,
            reason="keeps its data in another file, and a model given as bytes has no folder",
            hint="pass the path of the file, or export with external_data=False",
        )
    pure = PurePosixPath(location)
    named = bool(location) and not pure.is_absolute() and ".." not in pure.parts and not {*location} & {"\0", "\\"}
    path = folder.joinpath(*pure.parts) if named else folder
    if not named or any(folder.joinpath(*pure.parts[:n]).is_symlink() for n in range(1, len(pure.parts) + 1)):
        raise MalformedModel(
            thing=thing,
            reason=f"keeps its data outside the folder of the model or behind a link ({location!r})",
            hint="put the data file beside the model, or export with external_data=False",
        )
    return path


def _slice(path: Path, entries: dict[str, str], thing: str) -> bytes:
    try:
        offset = int(entries.get("offset", "0"))
        size = path.stat().st_size
        length = int(entries.get("length", size - offset))
        if offset < 0 or length < 0 or offset + length > size:
            raise ValueError(f"bytes {offset} to {offset + length} of a file of {size}")
        with path.open("rb") as file:
            file.seek(offset)
            return file.read(length)
    except (OSError, ValueError) as error:
        raise MalformedModel(
            thing=thing, reason=f"its external data cannot be read: {error}", hint="copy the data file beside the model again"
        ) from error
