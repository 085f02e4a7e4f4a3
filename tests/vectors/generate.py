# SPDX-License-Identifier: MIT OR Apache-2.0
"""Writes tests/vectors/*.json, which Python, Solidity and Rust all read: `make vectors`, if a meaning changed on purpose.

Each file is an object of cases by name; a case is flat: 0x-hex for bytes (tensors little endian, C order), integers,
lists of them, and `why`. Operators' outputs come from big_integers, not from the package that is tested against them.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from differential import big_integers
from differential.cases import expected_of, program_of
from vectors.games import game_vectors
from vectors.operator_cases import CASES, REQUANTISATIONS, Case
from vectors.programs import example_inputs, example_program
from vectors.transcripts import transcript_vectors
from verifiable_ml.commitment import (
    Claim,
    Dtype,
    InputCommitment,
    MerkleTree,
    OutputBytes,
    Privacy,
    keccak,
    tensor_root,
    trace_root,
)
from verifiable_ml.commitment.claim import HIDDEN, POSEIDON
from verifiable_ml.commitment.merkle import ABSENT_HASHES, leaf_hash
from verifiable_ml.execute import run_reference
from verifiable_ml.program import OPERATORS, Linear, Program, Ranks, Tokens
from verifiable_ml.program.encoding import encoding_root
from verifiable_ml.program.files import to_files
from verifiable_ml.program.identity import descriptor, header

FOLDER = Path(__file__).parent
Vectors = dict[str, dict[str, Any]]


def hexed(data: bytes) -> str:
    return "0x" + data.hex()


def counting(length: int) -> bytes:
    """Bytes that no two leaves share."""
    return bytes((place * 7 + place // 256) % 256 for place in range(length))


def little(values: list[int], dtype: Dtype) -> bytes:
    return b"".join(value.to_bytes(dtype.width, "little", signed=dtype != Dtype.U8) for value in values)


def keccak_vectors() -> Vectors:
    data = {"empty": b"", "abc": b"abc", "tag": b"\x03", "word": bytes(32), "rate_less_one": counting(135)}
    data |= {"rate": counting(136), "rate_and_one": counting(137)}
    why = "the padding of Keccak, not of SHA3; its rate is 136 bytes"
    return {name: {"data": hexed(each), "digest": hexed(keccak(each)), "why": why} for name, each in data.items()}


def merkle_vectors() -> Vectors:
    made = {}
    for count in (1, 2, 3, 5, 64, 65):
        tree = MerkleTree(tuple(leaf_hash(bytes([number])) for number in range(count)))
        made[f"leaves_{count}"] = _opening(tree, count - 1, "rule 1: leaf i is H(00 || one byte i), E0 pads to a power of two")
        if count < 1 << tree.depth:
            whole = MerkleTree((*tree.values, ABSENT_HASHES[0]))
            made[f"absent_{count}"] = _opening(whole, count, "the place behind the last leaf holds E0 = H(03)")
    return made


def _opening(tree: MerkleTree, index: int, why: str) -> dict[str, Any]:
    siblings = [hexed(sibling) for sibling in tree.open(index).siblings]
    opened = {"depth": tree.depth, "index": index, "value": hexed(tree.values[index]), "siblings": siblings}
    return {"values": [hexed(value) for value in tree.values], "root": hexed(tree.root), **opened, "why": why}


def tensor_root_vectors() -> Vectors:
    made = {}
    for dtype in Dtype:
        for elements in sorted({1, 256 // dtype.width - 1, 256 // dtype.width, 256 // dtype.width + 1, 1024, 1200}):
            data = counting(elements * dtype.width)
            why = f"rule 2: H(02 || dtype || nbytes u64 || merkle root), {-(-len(data) // 256)} leaves"
            root = hexed(tensor_root(dtype, data))
            made[f"{dtype.label}_{elements}"] = {"dtype": int(dtype), "data": hexed(data), "root": root, "why": why}
    return made


def trace_root_vectors() -> Vectors:
    made = {}
    for count in (1, 2, 3, 7):
        roots = [tensor_root(Dtype.U8, bytes([number])) for number in range(count)]
        why = "rule 3: H(04 || count u32 || merkle(tensor roots, E0 as padding))"
        made[f"tensors_{count}"] = {"roots": [hexed(r) for r in roots], "root": hexed(trace_root(roots)), "why": why}
    trace = run_reference(example_program(), example_inputs())
    roots = [hexed(root) for root in trace.roots]
    made["example"] = {"roots": roots, "root": hexed(trace.root), "why": "the example program on its example inputs"}
    return made


def claim_id_vectors() -> Vectors:
    """`inputs` is what a verifier contract is handed: bytes, a digest, or nothing; scheme 3 it does not know (no inputs)."""
    picture, token, digest = (Dtype.U8, counting(300)), (Dtype.I16, b"\x05\xff"), keccak(b"digest")[:31]
    logits, label = OutputBytes(Dtype.I32, counting(40)), OutputBytes(Dtype.U8, b"\x07")
    public, poseidon = InputCommitment.public(*picture), InputCommitment(POSEIDON, b"\0" + digest)
    salted = InputCommitment.salted(bytes(range(32)), *token)
    rows = [
        ("public", [picture], [public], [logits], Privacy(), "the same in every backend"),
        ("two_of_each", [picture, token], [public, InputCommitment.public(*token)], [logits, label], Privacy(), "counts first"),
        ("committed", [picture], [public], [label], Privacy("public", "committed"), "weights in the high nibble"),
        ("poseidon", [(Dtype.U8, b"\0" + digest)], [poseidon], [label], Privacy("hashed", "private"), "scheme 1"),
        ("hidden", [(Dtype.U8, b"")], [InputCommitment(HIDDEN, bytes(32))], [label], Privacy("private"), "scheme 4: some input"),
        ("salted", [], [public, salted], [label], Privacy(), "scheme 3: H(05 || salt || tensor root)"),
    ]
    return {
        name: _claim(data, Claim(keccak(b"program"), tuple(i), tuple(o), p), f"rule 8: {w}") for name, data, i, o, p, w in rows
    }


def _claim(inputs: list[tuple[Dtype, bytes]], claim: Claim, why: str) -> dict[str, Any]:
    return {
        "program_id": hexed(claim.program_id),
        "input_dtypes": [int(dtype) for dtype, _ in inputs],
        "inputs": [hexed(data) for _, data in inputs],
        "schemes": [given.scheme for given in claim.inputs],
        "digests": [hexed(given.digest) for given in claim.inputs],
        "output_dtypes": [int(output.dtype) for output in claim.outputs],
        "outputs": [hexed(output.data) for output in claim.outputs],
        "output_roots": [hexed(output.root) for output in claim.outputs],
        "privacy": claim.privacy.code,
        "claim_id": hexed(claim.id),
        "why": why,
    }


def program_id_vectors() -> Vectors:
    programs = {"example": example_program(), "salted": example_program(salt=bytes(range(32)))}
    return {name: _program(program) for name, program in programs.items()}


def _program(program: Program) -> dict[str, Any]:
    return {
        "salt": hexed(program.salt),
        "header": hexed(header(program)),
        "descriptors": [hexed(descriptor(program, operator)) for operator in program.operators],
        "program_id": hexed(program.id),
        "files": sorted(to_files(program, {})),
        "files_sha256": [hexed(hashlib.sha256(data).digest()) for _, data in sorted(to_files(program, {}).items())],
        "why": 'rule 4: H(20 || "vml.program" || version u16 = 1 || salt || H(header) || merkle of H(21 || descriptor))',
    }


def encoding_vectors() -> Vectors:
    encodings = {"tokens": Tokens(), "linear": Linear((0.5,), (128,)), "channels": Linear((0.1, 1e-300, 3.0), (0, -1, 2**63 - 1))}
    encodings["ranks"] = Ranks(((-1.5, 0.0, 2.0**-149), (), (0.10000000149011612,)))
    why = "H(22 || canonical bytes); a scale is an IEEE 754 double, big endian, a threshold a single one"
    return {n: {"canonical": hexed(e.canonical), "root": hexed(encoding_root(e)), "why": why} for n, e in encodings.items()}


def requantise_vectors() -> Vectors:
    made = {}
    for name, (why, accumulators, form) in REQUANTISATIONS.items():
        out = big_integers.requantise(
            big_integers.Grid((len(accumulators),), accumulators),
            list(form.multiplier), list(form.offset), form.shift, form.low, form.high,
        )  # fmt: skip
        made[name] = {"accumulators": accumulators, **_form(form), "output": out.flat, "why": why}
    return made


def _form(form: Any) -> dict[str, Any]:
    """No multiplier at all: the identity, raw integers."""
    if form is None:
        return {"multiplier": [], "offset": [], "shift": 0, "low": Dtype.I64.low, "high": Dtype.I64.high}
    numbers = {"shift": form.shift, "low": form.low, "high": form.high}
    return {"multiplier": list(form.multiplier), "offset": list(form.offset), **numbers}


def operator_vectors(kind: str) -> Vectors:
    return {case.name: _operator(case) for case in CASES if case.kind == kind}


def _operator(case: Case) -> dict[str, Any]:
    program = program_of(case.kind, case.operands, case.form, **case.attributes)
    made, output = program.operators[0], expected_of(case.kind, case.operands, case.form, **case.attributes)
    dtypes = [program.known(operand).interval.dtype for operand in made.operands]
    return {
        "operand_dtypes": list(map(int, dtypes)),
        "operand_shapes": [list(o.shape) for o in case.operands],
        "operand_values": [list(o.flat) for o in case.operands],
        "operands": [hexed(little(list(o.flat), dtype)) for o, dtype in zip(case.operands, dtypes, strict=True)],
        "constants": [o.interval is None for o in case.operands],
        "intervals": [list(o.interval or ()) for o in case.operands],
        "attributes": case.attributes,
        **_form(case.form),
        "descriptor": hexed(descriptor(program, made)),
        "output_dtype": int(made.output.dtype),
        "output_shape": list(output.shape),
        "output_values": output.flat,
        "output": hexed(little(output.flat, made.output.dtype)),
        "why": case.why,
    }


def all_vectors() -> dict[str, str]:
    """The text of every file, by name."""
    made = {
        "keccak": keccak_vectors(),
        "merkle": merkle_vectors(),
        "tensor_root": tensor_root_vectors(),
        "trace_root": trace_root_vectors(),
        "claim_id": claim_id_vectors(),
        "encoding": encoding_vectors(),
        "program_id": program_id_vectors(),
        "requantise": requantise_vectors(),
        "game": game_vectors(),
        "transcript": transcript_vectors(),
        **{kind: operator_vectors(kind) for kind in OPERATORS},
    }
    return {f"{name}.json": _text(vectors) for name, vectors in made.items()}


def _text(vectors: Vectors) -> str:
    """A field a line, so that a change can be read in a diff."""
    cases = []
    for name, vector in vectors.items():
        fields = ",\n".join(f"  {json.dumps(key)}: {_value(value)}" for key, value in vector.items())
        cases.append(f" {json.dumps(name)}: {{\n{fields}\n }}")
    return "{\n" + ",\n".join(cases) + "\n}\n"


def _value(value: Any) -> str:
    """A list of objects has one a line: the moves of a game."""
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return "[\n" + ",\n".join("   " + json.dumps(each) for each in value) + "\n  ]"
    return json.dumps(value)


if __name__ == "__main__":
    for name, text in all_vectors().items():
        (FOLDER / name).write_text(text)
    print(f"{len(all_vectors())} files in {FOLDER.name}/")
