# SPDX-License-Identifier: MIT OR Apache-2.0
"""Native proofs as a contract is given them: a saved program proved once, its plan, and the words of its statement.

python -m differential.record_sumcheck  # with tests/ on the path
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

import verifiable_ml as vml
from differential.sumcheck_verifier import FOLDER, Recorded
from verifiable_ml.execute import encode_inputs
from verifiable_ml.program.files import GRAPH, WEIGHTS, to_files

MODELS = ("credit-default", "digits-cnn", "digits-mlp", "digits-transformer", "lenet5-mnist")
PROGRAM = "digits-mlp"
"""Whose program is saved beside its proof."""
SEED = b"tests, UNSAFE"
CONTEXT = bytes(32)


class Proved:
    """One proof of a program, with all that either verifier is given."""

    def __init__(self, files: Mapping[str, bytes], inputs: list[list[int]]) -> None:
        import verifiable_ml_sumcheck as native

        self.prover = native.Prover(files[GRAPH], files[WEIGHTS], bytes(32), 1, None, SEED)
        self.key, self.reference = self.prover.verification()
        self.plan, _, *self.intervals = native.plan(self.key, self.reference)
        self.inputs = inputs
        self.outputs, self.payload = self.prover.prove(CONTEXT, inputs)

    def recorded(self) -> Recorded:
        return Recorded(self.plan, CONTEXT, self.statement(self.inputs, self.outputs), words(self.payload))

    def statement(self, inputs: list[list[int]], outputs: list[list[int]]) -> tuple[bytes, ...]:
        return statement(self.intervals, inputs, outputs)


def statement(
    intervals: Sequence[Sequence[tuple[int, int, int]]], inputs: list[list[int]], outputs: list[list[int]]
) -> tuple[bytes, ...]:
    """A byte an integer if the interval of its tensor holds no other, else eight, little endian; whole words each.

    Raises OverflowError if an integer has no byte, ValueError if there are not as many tensors.
    """
    tensors = zip((*inputs, *outputs), (*intervals[0], *intervals[1]), strict=True)
    packed = (np.array(values, "u1" if low >= 0 and high < 256 else "<i8") for values, (_, low, high) in tensors)
    return tuple(word for tensor in packed for word in words(tensor.tobytes()))


def words(data: bytes) -> tuple[bytes, ...]:
    return tuple(data[start : start + 32].ljust(32, b"\0") for start in range(0, len(data), 32))


def model(name: str) -> tuple[Mapping[str, bytes], list[list[int]]]:
    """A model's program, and one input that nobody has seen in training."""
    known = vml.zoo.model(name)
    program = vml.compile(known.path, calibration=known.calibration())
    given = encode_inputs(program, known.test()[0][3])
    return to_files(program, {}), [np.asarray(given[each.name]).ravel().tolist() for each in program.inputs]


def saved(name: str) -> Proved:
    """A program that was saved, proved again on the input that was saved with it."""
    folder = FOLDER / name
    files = {part: (folder / part).read_bytes() for part in (GRAPH, WEIGHTS)}
    return Proved(files, json.loads((folder / "inputs.json").read_text()))


def record(name: str) -> None:
    files, inputs = model(name)
    proved = Proved(files, inputs).recorded()
    fields: dict[str, Any] = {
        "plan": proved.plan,
        "context": proved.context,
        "statement": proved.statement,
        "proof": proved.proof,
    }
    hexed = {key: [*map(_hex, value)] if isinstance(value, tuple) else _hex(value) for key, value in fields.items()}
    (FOLDER / f"{name}.json").write_text(json.dumps(hexed, indent=1) + "\n")
    if name == PROGRAM:
        _save(FOLDER / name, files, inputs)


def _save(folder: Path, files: Mapping[str, bytes], inputs: list[list[int]]) -> None:
    folder.mkdir(exist_ok=True)
    for part in (GRAPH, WEIGHTS):
        (folder / part).write_bytes(files[part])
    (folder / "inputs.json").write_text(json.dumps(inputs) + "\n")


def _hex(data: bytes) -> str:
    return "0x" + data.hex()


if __name__ == "__main__":
    for each in MODELS:
        record(each)
