# SPDX-License-Identifier: MIT OR Apache-2.0
"""Rules 4 and 5: descriptors and headers read back from their bytes by another reader; what changes an id, and what does not."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest

from differential.cases import Operand, program_of
from vectors.operator_cases import CASES
from vectors.programs import example_program
from verifiable_ml.commitment import Dtype, encode_tensor, tensor_root
from verifiable_ml.errors import MalformedProgram
from verifiable_ml.program import OPERATORS, Builder, ConstantRef, Interval, Linear, Program, Requantise, Tokens
from verifiable_ml.program.encoding import encoding_root
from verifiable_ml.program.identity import MAX_DESCRIPTOR, descriptor, header, records


class Reader:
    """What a contract does: fixed widths, big endian, nothing left over."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def take(self, count: int) -> bytes:
        self.at += count
        assert self.at <= len(self.data)
        return self.data[self.at - count : self.at]

    def number(self, width: int, signed: bool = False) -> int:
        return int.from_bytes(self.take(width), "big", signed=signed)

    def dims(self) -> tuple[int, ...]:
        return tuple(self.number(4) for _ in range(self.number(1)))

    def attribute(self, like):
        if isinstance(like, int):
            return self.number(8, signed=True)
        return tuple(self.attribute(each) for each in self.listed(like))

    def listed(self, like):
        count = self.number(1)
        assert count == len(like)
        return like


PROGRAMS = [example_program(), *(program_of(c.kind, c.operands, c.form, **c.attributes) for c in CASES)]


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.operators[0].kind)
def test_descriptor_read_by_another_reader_is_the_operator(program: Program):
    for operator in program.operators:
        reader = Reader(descriptor(program, operator))
        assert (reader.number(1), reader.number(1)) == (OPERATORS[operator.kind].CODE, operator.output.dtype)
        assert reader.dims() == operator.output.shape
        assert reader.number(1) == len(operator.operands)
        for operand in operator.operands:
            assert reader.number(1) == isinstance(operand, ConstantRef)
            if isinstance(operand, ConstantRef):
                values = program.constants[operand.index]
                assert reader.take(32) == tensor_root(Dtype.of(values), encode_tensor(values))
                assert (reader.number(1), reader.dims()) == (Dtype.of(values), values.shape)
            else:
                spec = program.spec(operand.index)
                assert (reader.number(4), reader.number(1), reader.dims()) == (operand.index, spec.dtype, spec.shape)
        for field in fields(operator.attributes):
            if field.name != "coefficients":
                value = getattr(operator.attributes, field.name)
                assert reader.attribute(value) == value
        form, bounds = operator.requantise, (reader.number(1), reader.number(8, True), reader.number(8, True))
        assert bounds == ((form.shift, form.low, form.high) if form else (0, -(2**63), 2**63 - 1))
        root, table = reader.take(32), records(operator)
        assert root == (bytes(32) if table is None else tensor_root(Dtype.I64, table.astype("<i8").tobytes()))
        terms, tau = reader.number(4), reader.number(4)
        assert 1 <= tau <= 1024 and terms >= 1
        assert reader.at == len(reader.data) <= MAX_DESCRIPTOR


@pytest.mark.parametrize("program", PROGRAMS, ids=lambda program: program.operators[0].kind)
def test_header_read_by_another_reader_is_the_program(program: Program):
    reader = Reader(header(program))
    assert reader.number(1) == len(program.inputs)
    for given in program.inputs:
        assert reader.number(1) == given.spec.dtype and reader.dims() == given.spec.shape
        assert (reader.number(8, True), reader.number(8, True)) == (given.spec.interval.low, given.spec.interval.high)
        assert reader.take(32) == encoding_root(given.encoding)
    assert reader.number(4) == len(program.operators) and reader.number(1) == len(program.outputs)
    for output in program.outputs:
        assert reader.number(4) == output.index and reader.take(32) == encoding_root(output.decoding)
    reader.take(2)  # largest depth, most partial levels: checked on their own below
    assert reader.at == len(reader.data)


@pytest.mark.parametrize(("elements", "depth"), [(1, 0), (256, 0), (257, 1), (512, 1), (513, 2), (1024, 2), (1025, 3)])
def test_header_largest_depth_is_that_of_the_largest_tensor(elements, depth):
    program = program_of("sum", [Operand((elements,), (0,) * elements, (0, 1))])
    assert header(program)[-2] == depth


@pytest.mark.parametrize(("terms", "levels"), [(1, 0), (1024, 0), (1025, 1), (64 * 1024, 1), (64 * 1024 + 1, 2)])
def test_header_partial_levels_follow_rule_42(terms, levels):
    """u8 terms: tau is 1,024; 64 pieces are one reveal of accumulators."""
    program = program_of("sum", [Operand((terms,), (0,) * terms, (0, 1))])
    assert header(program)[-1] == levels


def test_records_of_an_operator_are_multiplier_offset_and_coefficients():
    program = example_program()
    add = next(operator for operator in program.operators if operator.kind == "add")
    assert records(add).tobytes() == b"".join(
        (1).to_bytes(2, "little") + bytes(6) + bytes(8) + a.to_bytes(2, "little") + b"\xff\xff" + bytes(12) for a in (1, 2, 3)
    )
    conv = program.operators[0]
    assert records(conv).tobytes() == b"".join(
        m.to_bytes(2, "little") + bytes(6) + o.to_bytes(8, "little")
        for m, o in zip(conv.requantise.multiplier.tolist(), conv.requantise.offset.tolist(), strict=True)
    )


def simple(**changed) -> Program:
    """One matmul, anything of it changed."""
    given = {
        "name": "x", "label": "fc", "shape": (2, 3), "interval": (0, 200), "encoding": Linear((0.5,), (3,)), "salt": bytes(32),
        "weights": [[1, 2, 3]], "x_zero": 0, "multiplier": [5], "offset": [7], "shift": 3, "low": 0, "high": 1000,
        "output": "y", "decoding": Tokens(),
        **changed,
    }  # fmt: skip
    builder = Builder(given["salt"])
    x = builder.input(given["name"], given["shape"], Interval(*given["interval"]), given["encoding"])
    form = Requantise(np.array(given["multiplier"]), np.array(given["offset"]), given["shift"], given["low"], given["high"])
    w = builder.constant(np.array(given["weights"]))
    y = builder.apply("matmul", x, w, requantise=form, label=given["label"], x_zero=given["x_zero"])
    builder.output(given["output"], y, given["decoding"])
    return builder.build()


SAME = {
    "names are for people": {"name": "picture", "output": "label", "label": "first"},
    "a wider dtype of the same weights": {"weights": np.array([[1, 2, 3]], dtype=np.int64)},
    "a bound that is never reached": {"high": 2**31},
    "a low bound that is never reached": {"low": -5},
}
OTHER = {
    "a weight": {"weights": [[1, 2, 4]]},
    "weights in another shape": {"weights": [[1, 2, 3], [0, 0, 0]]},
    "an input's shape": {"shape": (1, 2, 3)},
    "an input's interval": {"interval": (0, 199)},
    "an input's encoding": {"encoding": Linear((0.5,), (4,))},
    "an input's scale by one unit in the last place": {"encoding": Linear((float(np.nextafter(0.5, 1)),), (3,))},
    "a zero point": {"x_zero": 1},
    "a multiplier": {"multiplier": [6]},
    "an offset": {"offset": [8]},
    "a shift": {"shift": 4},
    "a bound that is reached": {"high": 100},
    "a decoding": {"decoding": Linear((1.0,), (0,))},
    "a salt": {"salt": b"\x01" * 32},
}


@pytest.mark.parametrize("why", SAME)
def test_program_id_of_the_same_meaning_is_the_same(why):
    assert simple(**SAME[why]).id == simple().id


@pytest.mark.parametrize("why", OTHER)
def test_program_id_of_another_meaning_is_another(why):
    assert simple(**OTHER[why]).id != simple().id


def test_program_ids_of_all_vectors_differ():
    assert len({program.id for program in PROGRAMS}) == len(PROGRAMS)


def test_program_equal_ids_are_equal_programs():
    assert simple() == simple(name="other") and hash(simple()) == hash(simple()) and simple() != simple(x_zero=1)
    assert simple() != "simple" and replace(simple(), salt=b"\x01" * 32) == simple(salt=b"\x01" * 32)


def test_descriptor_beyond_640_bytes_is_refused():
    """640 bytes are what a contract is ready to hash and read: seven constants of eleven axes do not fit."""
    builder = Builder()
    x = builder.input("x", (1,) * 11, Interval(0, 1), Tokens())
    constants = [builder.constant(np.full((1,) * 11, n)) for n in range(7)]
    builder.output("y", builder.apply("add", x, *constants, coefficients=((1,),) * 8), Tokens())
    with pytest.raises(MalformedProgram, match="640"):
        builder.build()
