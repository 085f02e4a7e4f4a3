# SPDX-License-Identifier: MIT OR Apache-2.0
"""A Program as a directory: manifest.json, program.json, weights.safetensors. Versioned, checksummed, one form only.

Loading builds the program anew, so every bound is proved again, and then demands that saving it would write the same
bytes: what is not canonical, or was tampered with, is refused.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import shutil
import tempfile
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.numpy
from safetensors import SafetensorError

from verifiable_ml.commitment.codec import IntArray
from verifiable_ml.commitment.json_text import parse_json
from verifiable_ml.errors import InvalidInput, MalformedProgram, ResourceExceeded, VerifiableMlError
from verifiable_ml.program.builder import Builder
from verifiable_ml.program.encoding import encoding_from_json
from verifiable_ml.program.operator import ConstantRef, Operand, Operator, TraceRef
from verifiable_ml.program.ops import OPERATORS
from verifiable_ml.program.program import Program
from verifiable_ml.program.requantise import Requantise
from verifiable_ml.program.tensor import Interval

FORMAT, VERSION = "verifiable_ml.program", 1
MANIFEST, GRAPH, WEIGHTS = "manifest.json", "program.json", "weights.safetensors"
MAX_BYTES = 1 << 32
"""Of all files together."""
MAX_JSON = 1 << 28
"""Of each JSON file: its values take some ten times as much memory."""
DISK_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


def save(program: Program, path: str | os.PathLike[str], extra: dict[str, bytes] | None = None) -> None:
    """Write the directory `path`, whole or not at all; an older program there is replaced, and kept if this fails.

    `extra` are further files by name, checksummed in the manifest, that no id depends on (a fidelity report). Raises
    ResourceExceeded on a full disk, InvalidInput if the path cannot be written or holds something else.
    """
    target, files = Path(os.path.realpath(path)), to_files(program, extra or {})
    try:
        if target.exists() and not (target / MANIFEST).is_file():
            raise InvalidInput(thing=f"`{target}`", reason="it exists and is no saved program", hint="choose another path")
        target.parent.mkdir(parents=True, exist_ok=True)
        _replace(target, files)
    except OSError as error:
        kind = ResourceExceeded if error.errno in DISK_FULL else InvalidInput
        hint = "what was there before is untouched; free some space, or choose another path"
        raise kind(thing=f"`{target}`", reason=f"it cannot be written ({error.strerror})", hint=hint) from error


def _replace(target: Path, files: dict[str, bytes]) -> None:
    """An interruption at any line leaves the old directory or the new one, and nothing else."""
    staging = Path(tempfile.mkdtemp(prefix=f".{target.name}.", dir=target.parent))
    retired = staging.with_name(f"{staging.name}.old")
    try:
        staging.chmod(0o755)
        for name, data in files.items():
            (staging / name).write_bytes(data)
        if target.exists():
            target.rename(retired)
        staging.rename(target)
    finally:
        if retired.exists() and not target.exists():
            retired.rename(target)
        for leftover in (staging, retired):
            shutil.rmtree(leftover, ignore_errors=True)


def load(path: str | os.PathLike[str]) -> Program:
    """Read and prove a program. Raises MalformedProgram, naming what is wrong; InvalidInput if there is none."""
    folder = Path(path)
    try:
        if not (folder / MANIFEST).is_file():
            hint = "`vml compile model.onnx -o model.vml` makes one"
            raise InvalidInput(thing=f"`{folder}`", reason="no saved program is there", hint=hint)
        return from_files(_read(folder))
    except OSError as error:
        raise InvalidInput(
            thing=f"`{folder}`", reason=f"it cannot be read ({error.strerror})", hint="check its permissions"
        ) from error


def _read(folder: Path) -> dict[str, bytes]:
    files, room = {}, MAX_BYTES
    for entry in sorted(folder.iterdir()):
        if entry.is_symlink() or not entry.is_file():
            raise _malformed(f"`{entry.name}` is no plain file of a program")
        size = entry.stat().st_size
        room -= size
        if room < 0 or (entry.name in (MANIFEST, GRAPH) and size > MAX_JSON):
            raise _malformed(f"`{entry.name}` is larger than any program's")
        files[entry.name] = entry.read_bytes()
    return files


def to_files(program: Program, extra: dict[str, bytes]) -> dict[str, bytes]:
    """The bytes of every file, the same for the same program. Raises InvalidInput for an `extra` name that is no file's."""
    for name in extra:
        if name in (MANIFEST, GRAPH, WEIGHTS, "", ".", "..") or name != Path(name).name or "\0" in name:
            raise InvalidInput(thing=f"file {name!r}", reason="it cannot stand beside a program", hint="use a plain file name")
    content = {GRAPH: _json(_graph(program)), WEIGHTS: safetensors.numpy.save(_arrays(program)), **extra}
    manifest = {
        "format": FORMAT,
        "version": VERSION,
        "program": program.id.hex(),
        "files": {name: hashlib.sha256(data).hexdigest() for name, data in sorted(content.items())},
    }
    return {MANIFEST: _json(manifest), **content}


def from_files(files: dict[str, bytes]) -> Program:
    """The inverse of `to_files`, for anybody's bytes. Raises MalformedProgram on anything that `to_files` would not write."""
    try:
        extra = _check_manifest(files)
        program = _build(parse_json(files[GRAPH]), safetensors.numpy.load(files[WEIGHTS]))
        canonical = to_files(program, extra) == files
    except VerifiableMlError as error:
        raise error if isinstance(error, MalformedProgram) else _malformed(str(error)) from error
    except (
        KeyError,
        TypeError,
        ValueError,
        IndexError,
        AttributeError,
        OverflowError,
        MemoryError,
        RecursionError,
        SafetensorError,
    ) as error:
        raise _malformed(f"it cannot be read ({type(error).__name__}: {error})") from error
    if not canonical:
        raise _malformed("its files are not what this program is written as")
    return program


def _check_manifest(files: dict[str, bytes]) -> dict[str, bytes]:
    manifest = parse_json(files[MANIFEST])
    if manifest["format"] != FORMAT or manifest["version"] != VERSION:
        raise _malformed(
            f"format {manifest['format']!r} version {manifest['version']!r} is unknown; this release reads version {VERSION}"
        )
    if set(manifest["files"]) != set(files) - {MANIFEST} or not {GRAPH, WEIGHTS} <= set(files):
        raise _malformed("the files are not those that the manifest names")
    for name, digest in manifest["files"].items():
        if hashlib.sha256(files[name]).hexdigest() != digest:
            raise _malformed(f"the checksum of `{name}` is wrong")
    return {name: data for name, data in files.items() if name not in (MANIFEST, GRAPH, WEIGHTS)}


def _json(value: Any) -> bytes:
    return (json.dumps(value, indent=1, sort_keys=True, allow_nan=False) + "\n").encode()


def _graph(program: Program) -> dict[str, Any]:
    inputs = [
        {
            "name": given.name,
            "shape": list(given.spec.shape),
            "interval": [given.spec.interval.low, given.spec.interval.high],
            "encoding": given.encoding.to_json(),
        }
        for given in program.inputs
    ]
    outputs = [{"name": o.name, "index": o.index, "decoding": o.decoding.to_json()} for o in program.outputs]
    operators = [_operator_to_json(operator) for operator in program.operators]
    return {"inputs": inputs, "operators": operators, "outputs": outputs, "salt": program.salt.hex()}


def _operator_to_json(operator: Operator) -> dict[str, Any]:
    form = operator.requantise
    return {
        "kind": operator.kind,
        "label": operator.label,
        "operands": [f"constant {o.index}" if isinstance(o, ConstantRef) else f"trace {o.index}" for o in operator.operands],
        "attributes": asdict(operator.attributes),
        "requantise": form and {"shift": form.shift, "low": form.low, "high": form.high},
        "output": {
            "shape": list(operator.output.shape),
            "interval": [operator.output.interval.low, operator.output.interval.high],
        },
    }


def _arrays(program: Program) -> dict[str, IntArray]:
    arrays = {f"constant.{index}": np.ascontiguousarray(values) for index, values in enumerate(program.constants)}
    for index, operator in enumerate(program.operators):
        if operator.requantise is not None:
            arrays[f"multiplier.{index}"] = operator.requantise.multiplier.copy()
            arrays[f"offset.{index}"] = operator.requantise.offset.copy()
    return arrays


def _build(graph: dict[str, Any], arrays: dict[str, IntArray]) -> Program:
    salt = bytes.fromhex(graph["salt"])
    if len(salt) != 32:
        raise _malformed("its salt has not 32 bytes")
    builder = Builder(salt)
    for given in graph["inputs"]:
        builder.input(given["name"], tuple(given["shape"]), Interval(*given["interval"]), encoding_from_json(given["encoding"]))
    for index in range(sum(name.startswith("constant.") for name in arrays)):
        builder.constant(arrays[f"constant.{index}"])
    for index, operator in enumerate(graph["operators"]):
        _add_operator(builder, index, operator, arrays)
    for output in graph["outputs"]:
        builder.output(output["name"], TraceRef(output["index"]), encoding_from_json(output["decoding"]))
    return builder.build()


def _add_operator(builder: Builder, index: int, operator: dict[str, Any], arrays: dict[str, IntArray]) -> None:
    form = operator["requantise"]
    if form is not None:
        form = Requantise(
            arrays[f"multiplier.{index}"], arrays[f"offset.{index}"], int(form["shift"]), int(form["low"]), int(form["high"])
        )
    names = {field.name for field in fields(OPERATORS[operator["kind"]].Attributes)}
    attributes = {name: value for name, value in operator["attributes"].items() if name in names}
    operands = tuple(_operand(text) for text in operator["operands"])
    builder.apply(operator["kind"], *operands, requantise=form, label=str(operator["label"]), **attributes)


def _operand(text: str) -> Operand:
    kind, index = text.split(" ")
    return ConstantRef(int(index)) if kind == "constant" else TraceRef(int(index))


def _malformed(reason: str) -> MalformedProgram:
    return MalformedProgram(
        thing="a saved program", reason=reason, hint="compile the model again, or get the directory anew from its author"
    )
