# SPDX-License-Identifier: MIT OR Apache-2.0
"""Operands outside of an operator's domain, rule 32: only a liar's trace has them, and its step is refused, here and on chain."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from differential.cases import program_of
from differential.step_cases import Step, steps
from differential.step_chain import Refused, chain
from vectors.operator_cases import constant, given
from verifiable_ml.commitment import encode_tensor, tensor_tree
from verifiable_ml.dispute.opening import Opening, show
from verifiable_ml.dispute.step import advance
from verifiable_ml.dispute.witness import Witness
from verifiable_ml.errors import MalformedEvidence
from verifiable_ml.execute import Trace, run_reference

LEAST, MOST = -(1 << 63), (1 << 63) - 1
TABLE, HALVES = constant((4,), *range(4)), constant((84,), *range(84))
ROWS, INDEX = constant((300, 2), *range(600)), given((1,), (0, 299), 5)
WIDE, DEEP, BYTE = given((1,), (0, 1 << 40), 4), -(1 << 40), given((1,), (0, 9), 1)

CASES = {
    "lookup below its table": ("lookup", [given((1,), (DEEP, DEEP + 3), DEEP), TABLE], {"base": DEEP}, 0, LEAST),
    "lookup just above": ("lookup", [given((1,), (7, 10), 7), TABLE], {"base": 7}, 0, 11),
    "lookup that would wrap": ("lookup", [given((1,), (MOST - 3, MOST), MOST), TABLE], {"base": MOST - 3}, 0, LEAST),
    "mantissa of a negative": ("lookup", [WIDE, HALVES], {"base": 0, "mantissa": 1}, 0, -1),
    "mantissa beyond": ("lookup", [WIDE, HALVES], {"base": 0, "mantissa": 1}, 0, MOST),
    "gather of a negative row": ("gather", [ROWS, INDEX], {}, 0, -1),
    "gather just beyond": ("gather", [ROWS, INDEX], {}, 0, 300),
    "divisor 0": ("divide", [BYTE, given((1,), (1, 9), 1)], {}, 1, 0),
    "divisor negative": ("divide", [BYTE, given((1,), (1, 1 << 40), 1)], {}, 1, LEAST),
    "root of -1": ("isqrt", [WIDE], {}, 0, -1),
    "root of the least": ("isqrt", [WIDE], {}, 0, LEAST),
}


def lied(kind, operands, attributes, place: int, value: int) -> Step:
    """An honest step whose trace then says `value` at element 0 of input `place`, all leaves of all operands opened."""
    program = program_of(kind, operands, **attributes)
    trace = run_reference(program, {f"x{i}": o.array for i, o in enumerate(operands) if o.interval is not None})
    honest = next(steps(trace, len(trace.tensors) - 1, 0))
    told = trace.tensors[place].copy()
    told.flat[0] = value
    liar = Trace(program, (*trace.tensors[:place], told, *trace.tensors[place + 1 :]))
    openings = tuple(whole(Witness(liar), operand) for operand in program.operators[0].operands)
    return replace(honest, statement=replace(honest.statement, trace_root=liar.root), openings=openings)


def whole(witness: Witness, operand) -> Opening:
    is_constant = type(operand).__name__ == "ConstantRef"
    data = encode_tensor((witness.program.constants if is_constant else witness.trace.tensors)[operand.index])
    tree = tensor_tree(data)
    return Opening(show(data, tree, range(len(tree.values))), () if is_constant else witness.tensor_path(operand.index))


@pytest.mark.parametrize("case", CASES)
def test_property_40_step_operand_outside_its_domain_is_refused(case):
    step = lied(*CASES[case])
    with pytest.raises(MalformedEvidence, match=r"row|looked up|divisor|root of"):
        advance(step.statement, step.openings, step.record, step.start)
    answer = chain().advance(step.data, step.statement, step.openings, step.record, step.start)
    assert answer == Refused("OutsideDomain")


@pytest.mark.parametrize("case", CASES)
def test_property_40_step_operand_inside_its_domain_is_taken_from_the_same_leaves(case):
    """So that the refusals above are for the value, and for nothing else."""
    kind, operands, attributes, place, _ = CASES[case]
    inputs = [o for o in operands if o.interval is not None]
    step = lied(kind, operands, attributes, place, inputs[place].flat[0])
    assert advance(step.statement, step.openings, step.record, step.start) == step.end
    assert chain().advance(step.data, step.statement, step.openings, step.record, step.start) == step.end


def test_dtypes_hold_what_a_liar_says():
    """The cases above say what they mean only if the operand's dtype takes the value unchanged."""
    for kind, operands, attributes, place, value in CASES.values():
        program = program_of(kind, operands, **attributes)
        assert np.array(value).astype(program.inputs[place].spec.dtype.numpy) == value
