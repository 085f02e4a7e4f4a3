# SPDX-License-Identifier: MIT OR Apache-2.0
"""ezkl's witness of each operator against NumPy: the named cases of the vectors, and what is ugly in this world alone.

Inputs are private, so that they are saturated in the circuit, and weights public or committed, so that they are tied.
"""

from __future__ import annotations

import numpy as np
import pytest
from onnx import numpy_helper

from differential.cases import Form, program_of
from vectors.operator_cases import CASES, I16, U8, Case, constant, given
from verifiable_ml.commitment import Privacy
from verifiable_ml.errors import UnsupportedModel
from verifiable_ml.execute import run_reference
from verifiable_ml.program import Builder, Interval, Tokens
from verifiable_ml.proving.ezkl import cache, circuit, prove
from verifiable_ml.proving.ezkl.evidence import felt
from verifiable_ml.proving.ezkl.graph import Graph
from verifiable_ml.proving.ezkl.process import Worker
from verifiable_ml.proving.ezkl.view import View, view_inputs

X = given((1, 2), U8, 3, 200)
PLAIN = {"x_zero": 0, "w_zero": 0}
UGLY = [
    Case("mul", "zero_of_a_constant", "ezkl folds constants in float32", [X, constant((1, 2), 2**24 - 2, 5)], {"y_zero": -1}),
    Case("matmul", "three_axes", "x has more axes than w", [given((2, 1, 2), U8, 1, 2, 3, 4), constant((1, 2), 5, -6)], PLAIN),
    Case(
        "matmul", "vector", "x has fewer axes than w", [given((2,), U8, 7, 8), constant((3, 2), 1, 2, 3, 4, 5, 6)], {"x_zero": 1}
    ),
    Case("matmul", "constant_first", "", [constant((1, 2), 1, 2), given((2, 2), U8, 1, 2, 3, 4)], {"x_zero": 1}, Form(shift=2)),
    Case(
        "matmul",
        "wide_quotient",
        "quotients of more bits than a decomposition has by default",
        [given((1, 2), I16, -32768, 32767), constant((1, 2), 32767, 32767)],
        {},
        Form((32767,), (0,), 3, -(2**46), 2**46),
    ),
    Case(
        "add",
        "wide_offset",
        "float32 holds it in parts",
        [X],
        {"coefficients": ((1,),)},
        Form((1,), (2**40 + 12345678901,), high=2**41),
    ),
    Case("compare", "constant_first", "", [constant((1, 2), 3, 199), X]),
    Case("max", "equals", "all the same", [given((2, 4), (-9, 9), -9, -9, -9, -9, 9, 9, 3, 9)], {"axes": 1}),
    Case(
        "lookup",
        "below_zero",
        "the index is x - base",
        [given((4,), (-2, 1), -2, -1, 0, 1), constant((4,), -5, 300, 7, 0)],
        {"base": -2},
    ),
]
NAMED = {f"{case.kind}-{case.name}": case for case in (*CASES, *UGLY)}
REFUSED = {
    "lookup-mantissa": "leading bits",
    "divide-rounds_half_up": "up to its rounding",
    "divide-scaled_row": "up to its rounding",
    "isqrt-around_squares": "a table",
    "max-innermost": "64 bits",
    "compare-strict": "64 bits",
    "argmax-tie_is_the_first": "64 bits",
}


def _program(case):
    return program_of(case.kind, case.operands, case.form, **{**(PLAIN if case.kind == "matmul" else {}), **case.attributes})


@pytest.mark.parametrize("weights", ["public", "committed"])
@pytest.mark.parametrize("name", sorted(NAMED.keys() - REFUSED.keys()))
def test_witness_of_an_operator_equals_numpy(ezkl, name, weights):
    case = NAMED[name]
    program = _program(case)
    inputs = {f"x{i}": o.array for i, o in enumerate(case.operands) if o.interval is not None}
    with cache.workspace() as folder:
        worker = Worker(folder)
        circuit.design(program, Privacy("private", weights), worker)
        (outputs,) = worker.run("witnesses", inputs=[view_inputs(program, inputs)])
    prove._agree({"outputs": outputs}, run_reference(program, inputs))


@pytest.mark.parametrize("name", REFUSED)
def test_operator_that_ezkl_cannot_prove_exactly_is_refused_with_its_reason(ezkl, name):
    with pytest.raises(UnsupportedModel, match=REFUSED[name]):
        ezkl.supports(_program(NAMED[name]), Privacy("private"))


INEXACT = {
    "product": Case("add", "", "", [X, constant((1, 2), 16381, 5)], {"coefficients": ((1,), (32749,))}),
    "sum": Case("mul", "", "", [X, constant((1, 2), 2**23 + 5, 5)], {"y_zero": -(2**23)}),
    "fill": Case(
        "rearrange", "", "", [X], {"shape": (3,), "view": (2,), "permutation": (0,), "maps": ((3, 0, 1, 1),), "fill": 2**24 + 1}
    ),
    "weight": Case("matmul", "", "", [X, constant((1, 2), 2**24 + 1, 5)], PLAIN),
}


@pytest.mark.parametrize("name", INEXACT)
def test_constant_that_ezkl_would_round_in_float32_is_refused(ezkl, name):
    """The circuit would be another program's: its key would accept what this one never gives."""
    with pytest.raises(UnsupportedModel, match="float32"):
        ezkl.supports(_program(INEXACT[name]), Privacy())


def test_operator_of_constants_alone_is_refused(ezkl):

    builder = Builder()
    x = builder.input("x", (1, 2), Interval(0, 9), Tokens())
    known = builder.apply("sum", builder.constant([[2**23 + 1, 2**23]]), axes=1)
    builder.output("y", builder.apply("add", x, known, coefficients=((1,), (1,))), Tokens())
    with pytest.raises(UnsupportedModel, match="all its operands are constants"):
        ezkl.supports(builder.build(), Privacy())


def test_step_is_exact_at_zero_beside_it_and_at_both_ends_of_its_table(tmp_path):
    reach, graph = Interval(-(1 << 12), 1 << 12), Graph()
    values = [reach.low, reach.low + 1, -2, -1, 0, 1, 2, reach.high - 1, reach.high]
    model = graph.model({"x": (1, len(values))}, [(graph.step("x", reach), (1, len(values)))])
    (tmp_path / "model").write_bytes(model.SerializeToString())
    worker, view = Worker(tmp_path), View(model, (0,), (reach.low, reach.high), 0, 6)
    worker.run("settings", arguments=circuit.run_arguments(view, Privacy(), 14, circuit.LEAST_BITS))
    (outputs,) = worker.run("witnesses", inputs=[[values]])
    assert [felt(text) for text in outputs[0]] == [int(value >= 0) for value in values]


@pytest.mark.parametrize("value", [2**24 - 1, 2**24, 2**24 + 1, 2**47 - 1, 2**61 + 12345, 2**62 - 1])
@pytest.mark.parametrize("sign", [1, -1])
def test_constant_is_added_exactly_in_parts_that_float32_holds(value, sign):
    graph = Graph()
    graph.plus("x", [sign * value])
    parts = [numpy_helper.to_array(part) for part in graph.model({"x": (1,)}, []).graph.initializer]
    assert sum(int(part.astype(np.int64)[0]) for part in parts) == sign * value
    assert len(parts) <= 3
