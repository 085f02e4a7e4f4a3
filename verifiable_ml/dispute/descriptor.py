# SPDX-License-Identifier: MIT OR Apache-2.0
"""A descriptor read back from its bytes, rule 5: all that a step knows of an operator. The inverse of program/identity.py."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from math import prod
from typing import Any, NoReturn

from verifiable_ml.commitment import Dtype
from verifiable_ml.dispute.opening import leaf_count
from verifiable_ml.dispute.steps import STEPS
from verifiable_ml.errors import MalformedEvidence
from verifiable_ml.program.identity import MAX_DESCRIPTOR
from verifiable_ml.program.ops import OPERATORS
from verifiable_ml.program.pieces import MAX_TERMS
from verifiable_ml.program.requantise import MAX_SHIFT
from verifiable_ml.program.tensor import MAX_ELEMENTS, MAX_RANK, Shape

KINDS = {kind.CODE: name for name, kind in OPERATORS.items()}
NESTING = {"int": 0, "Shape": 1, "tuple[Map, ...]": 2}
"""How deep the lists of an attribute go, by the annotation of its field."""


@dataclass(frozen=True, slots=True)
class TensorForm:
    """An operand. source: the index of a tensor of the trace, or the tensor root of a constant."""

    source: int | bytes
    dtype: Dtype
    shape: Shape

    @property
    def nbytes(self) -> int:
        """Bytes of the tensor."""
        return prod(self.shape) * self.dtype.width


@dataclass(frozen=True, slots=True)
class Descriptor:
    """One operator. Of `add` the coefficients stand in the records; `records` is None where nothing is recorded."""

    kind: str
    dtype: Dtype
    shape: Shape
    operands: tuple[TensorForm, ...]
    attributes: Any
    shift: int
    low: int
    high: int
    records: bytes | None
    terms: int
    tau: int

    @property
    def size(self) -> int:
        """Elements of the output."""
        return prod(self.shape)

    @property
    def nbytes(self) -> int:
        """Bytes of the output."""
        return self.size * self.dtype.width

    @property
    def leaves(self) -> int:
        """Leaves of the output."""
        return leaf_count(self.nbytes)

    @property
    def pieces(self) -> int:
        """Pieces of an element: K terms, tau a piece."""
        return -(-self.terms // self.tau)

    @property
    def channels(self) -> int:
        """The last axis of the output, 1 if it has none: what records distinguish at most."""
        return self.shape[-1] if self.shape else 1


def parse(data: bytes) -> Descriptor:
    """Exact: nothing is left over, and the parts fit together. Raises MalformedEvidence."""
    reader = _Reader(data)
    descriptor = _read(reader)
    if len(data) > MAX_DESCRIPTOR or reader.place != len(data):
        reader.refuse(f"it has {len(data)} bytes, of which {reader.place} are read")
    _check(reader, descriptor)
    return descriptor


def _read(reader: _Reader) -> Descriptor:
    code = reader.number(1)
    if code not in KINDS:
        reader.refuse(f"there is no operator of kind {code}")
    kind = KINDS[code]
    dtype, shape = reader.dtype(), reader.shape()
    operands = tuple(_operand(reader) for _ in range(reader.number(1)))
    form = OPERATORS[kind].Attributes
    depths = {field.name: NESTING[str(field.type)] for field in fields(form) if field.name != "coefficients"}
    values = {name: reader.nested(depth) for name, depth in depths.items()}
    attributes = form(**values) if kind != "add" else form(coefficients=())
    shift, low, high, root = reader.number(1), reader.signed(), reader.signed(), reader.take(32)
    records = root if any(root) else None
    terms, tau = reader.number(4), reader.number(4)
    return Descriptor(kind, dtype, shape, operands, attributes, shift, low, high, records, terms, tau)


def _operand(reader: _Reader) -> TensorForm:
    tag = reader.number(1)
    if tag > 1:
        reader.refuse(f"an operand begins with {tag}")
    source: int | bytes = reader.take(32) if tag else reader.number(4)
    return TensorForm(source, reader.dtype(), reader.shape())


def _check(reader: _Reader, descriptor: Descriptor) -> None:
    d, kind = descriptor, OPERATORS[descriptor.kind]
    if d.shift > MAX_SHIFT or d.low > d.high or not 1 <= d.tau <= MAX_TERMS or d.tau & (d.tau - 1):
        reader.refuse("its shift, its bounds or its pieces are out of range")
    is_identity = (d.records, d.shift, d.low, d.high) == (None, 0, Dtype.I64.low, Dtype.I64.high)
    if not is_identity and (d.records is None or not kind.REQUANTISES):
        reader.refuse(f"{d.kind} takes no requantisation, or there are no records of it")
    attributes = d.attributes if d.kind != "add" else replace(d.attributes, coefficients=((1,),) * len(d.operands))
    shapes = tuple(operand.shape for operand in d.operands)
    try:
        fits = kind.output_shape(attributes, shapes) == d.shape and STEPS[d.kind].terms(d) == d.terms
    except (ValueError, TypeError, IndexError, OverflowError) as error:
        reader.refuse(str(error))
    if not fits or (d.kind == "add" and d.records is None):
        reader.refuse("its shapes, its number of terms or its records do not fit together")


class _Reader:
    """Bytes and how far they are read."""

    def __init__(self, data: bytes) -> None:
        self.data, self.place = data, 0

    def take(self, count: int) -> bytes:
        if self.place + count > len(self.data):
            self.refuse("it ends too early")
        self.place += count
        return self.data[self.place - count : self.place]

    def number(self, width: int) -> int:
        return int.from_bytes(self.take(width), "big")

    def signed(self) -> int:
        return int.from_bytes(self.take(8), "big", signed=True)

    def dtype(self) -> Dtype:
        code = self.number(1)
        if code > max(Dtype):
            self.refuse(f"there is no dtype {code}")
        return Dtype(code)

    def shape(self) -> Shape:
        rank = self.number(1)
        shape = tuple(self.number(4) for _ in range(rank))
        if rank > MAX_RANK or 0 in shape or prod(shape) > MAX_ELEMENTS:
            self.refuse(f"there is no tensor of shape {list(shape)}")
        return shape

    def nested(self, depth: int) -> Any:
        return tuple(self.nested(depth - 1) for _ in range(self.number(1))) if depth else self.signed()

    def refuse(self, reason: str) -> NoReturn:
        raise MalformedEvidence(thing="a descriptor", reason=reason, hint="take it from the program: `program.identity`")
