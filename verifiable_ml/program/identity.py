# SPDX-License-Identifier: MIT OR Apache-2.0
"""Canonical bytes and the program id: rules 4 and 5. One program has one byte string, hence one id.

descriptor = kind u8 || output dtype u8, dims || operand count u8, operands… || attributes || requantisation || K u32 || tau u32
dims       = rank u8 || u32…
operand    = 00 || trace index u32 || dtype u8 || dims   or   01 || constant root 32 || dtype u8 || dims
attributes = field by field: i64, or count u8 || i64… (nested for maps); an add's coefficients stand in its records
requantisation = shift u8 || low i64 || high i64 || root of the records; zero bytes for the identity
record     = multiplier u16, six zero bytes, offset i64 (for add: also a_1 … a_8 i16), little endian: an i64 tensor
"""

from __future__ import annotations

from dataclasses import fields
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from verifiable_ml.commitment import Dtype, MerkleTree, encode_tensor, keccak, tensor_root
from verifiable_ml.commitment.codec import IntArray
from verifiable_ml.commitment.merkle import depth_of
from verifiable_ml.commitment.roots import LEAF_BYTES
from verifiable_ml.errors import MalformedProgram
from verifiable_ml.program.encoding import encoding_root
from verifiable_ml.program.operator import ConstantRef, Operand, Operator
from verifiable_ml.program.ops import OPERATORS
from verifiable_ml.program.pieces import Read, largest_piece, partial_levels
from verifiable_ml.program.tensor import Shape

if TYPE_CHECKING:
    from verifiable_ml.program.program import Program

VERSION = 1
MAX_DESCRIPTOR = 640


def program_id(program: Program) -> bytes:
    """H(20 || "vml.program" || version u16 || salt 32 || H(header) || merkle(descriptors)), 32 bytes."""
    leaves = [keccak(b"\x21" + descriptor(program, operator)) for operator in program.operators]
    version = VERSION.to_bytes(2, "big")
    return keccak(b"\x20vml.program" + version + program.salt + keccak(header(program)) + MerkleTree(leaves).root)


def header(program: Program) -> bytes:
    """What is fixed of a program beside its operators; the bytes of rule 4."""
    inputs = (
        bytes([given.spec.dtype])
        + _dims(given.spec.shape)
        + _i64(given.spec.interval.low)
        + _i64(given.spec.interval.high)
        + encoding_root(given.encoding)
        for given in program.inputs
    )
    outputs = (_u32(output.index) + encoding_root(output.decoding) for output in program.outputs)
    return b"".join(
        (
            bytes([len(program.inputs)]),
            *inputs,
            _u32(len(program.operators)),
            bytes([len(program.outputs)]),
            *outputs,
            bytes([_deepest(program)]),
            bytes([max((partial_levels(*pieces(program, op)) for op in program.operators), default=0)]),
        )
    )


def _deepest(program: Program) -> int:
    count = len(program.inputs) + len(program.operators)
    return max(depth_of(-(-program.spec(index).nbytes // LEAF_BYTES)) for index in range(count))


def descriptor(program: Program, operator: Operator) -> bytes:
    """One operator as bytes. Raises MalformedProgram above 640 bytes."""
    kind = OPERATORS[operator.kind]
    terms, tau = pieces(program, operator)
    data = b"".join(
        (
            bytes([kind.CODE, operator.output.dtype]),
            _dims(operator.output.shape),
            bytes([len(operator.operands)]),
            *(_operand(program, operand) for operand in operator.operands),
            *(_attribute(getattr(operator.attributes, f.name)) for f in fields(operator.attributes) if f.name != "coefficients"),
            _requantisation(operator),
            _u32(terms),
            _u32(tau),
        )
    )
    if len(data) > MAX_DESCRIPTOR:
        raise MalformedProgram(
            thing=f"operator `{operator.label or operator.kind}`",
            reason=f"its descriptor takes {len(data)} bytes, and {MAX_DESCRIPTOR} is the limit",
            hint="split it: fewer operands or fewer axes",
        )
    return data


def pieces(program: Program, operator: Operator) -> tuple[int, int]:
    """(K, tau) of rules 5 and 36."""
    return largest_piece(reads(program, operator))


def reads(program: Program, operator: Operator) -> tuple[Read, ...]:
    """How each operand is read, one after the other; () of an operator of one term."""
    known = [program.known(operand) for operand in operator.operands]
    runs = OPERATORS[operator.kind].runs(operator.attributes, tuple(k.shape for k in known))
    widths = [k.interval.dtype.width for k in known]
    return tuple(Read(lengths, width, width * prod(k.shape)) for lengths, width, k in zip(runs, widths, known, strict=bool(runs)))


def records(operator: Operator) -> IntArray | None:
    """The requantisation as an i64 tensor [channels, 2], for add [channels, 4]; None if there is nothing to record."""
    coefficients = getattr(operator.attributes, "coefficients", None)
    if operator.requantise is None and coefficients is None:
        return None
    multiplier = operator.requantise.multiplier if operator.requantise else np.ones(1, np.int64)
    offset = operator.requantise.offset if operator.requantise else np.zeros(1, np.int64)
    if coefficients is None:
        return np.stack([multiplier, offset], axis=1)
    channels = max(len(multiplier), *map(len, coefficients))
    packed = np.zeros((channels, 8), dtype="<i2")
    for place, each in enumerate(coefficients):
        packed[:, place] = each
    pair = np.broadcast_to(np.stack([multiplier, offset], axis=1), (channels, 2))
    return np.concatenate([pair, packed.view("<i8")], axis=1)


def _requantisation(operator: Operator) -> bytes:
    table = records(operator)
    root = bytes(32) if table is None else tensor_root(Dtype.I64, encode_tensor(np.ascontiguousarray(table, dtype="<i8")))
    if operator.requantise is None:
        return b"\x00" + _i64(Dtype.I64.low) + _i64(Dtype.I64.high) + root
    form = operator.requantise
    return bytes([form.shift]) + _i64(form.low) + _i64(form.high) + root


def _operand(program: Program, operand: Operand) -> bytes:
    if isinstance(operand, ConstantRef):
        values = program.constants[operand.index]
        dtype = Dtype.of(values)
        return b"\x01" + tensor_root(dtype, encode_tensor(values)) + bytes([dtype]) + _dims(values.shape)
    spec = program.spec(operand.index)
    return b"\x00" + _u32(operand.index) + bytes([spec.dtype]) + _dims(spec.shape)


def _attribute(value: Any) -> bytes:
    if isinstance(value, int):
        return _i64(value)
    return bytes([len(value)]) + b"".join(map(_attribute, value))


def _dims(shape: Shape) -> bytes:
    return bytes([len(shape)]) + b"".join(map(_u32, shape))


def _u32(value: int) -> bytes:
    return value.to_bytes(4, "big")


def _i64(value: int) -> bytes:
    return value.to_bytes(8, "big", signed=True)
