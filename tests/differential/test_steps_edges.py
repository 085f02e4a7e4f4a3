# SPDX-License-Identifier: MIT OR Apache-2.0
"""Steps at the ends of what they may be given: the widest sums of every pair of dtypes, many axes, and the router (39, 40)."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import numpy as np
import pytest

from differential.random_programs import random_program
from differential.step_cases import random_trace, steps
from differential.step_chain import CONTRACTS, Chain, Refused, chain, record_of, signed, word
from differential.test_steps_operators import assert_alike as assert_step_alike
from differential.test_steps_operators import some_elements
from verifiable_ml.commitment import Dtype, MerkleTree, encode_tensor, tensor_root, tensor_tree, trace_root
from verifiable_ml.dispute.accumulator import LIMIT
from verifiable_ml.dispute.descriptor import parse
from verifiable_ml.dispute.opening import Opening, Run, show
from verifiable_ml.dispute.step import Accumulator, Statement, advance, neutral
from verifiable_ml.dispute.witness import Witness
from verifiable_ml.execute import OnnxView, run_reference
from verifiable_ml.program import OPERATORS, Builder, Interval, Program, Tokens

TERMS = 1024


def program_of_bytes() -> Program:
    b = Builder()
    x, w = (b.input(name, (1, 1, TERMS), Interval(0, 255), Tokens()) for name in "xw")
    b.output("y", b.apply("matmul", x, w, x_zero=3, w_zero=-5), Tokens())
    return b.build()


@pytest.mark.parametrize(("x_type", "w_type"), product(Dtype, repeat=2), ids=lambda dtype: dtype.label)
def test_property_39_dot_product_of_ends_is_exact(x_type, w_type):
    """Operands full of the least or the greatest of their dtype, or of both in turn, all 1,024 terms at once: also of dtypes of
    which no program has so many, since their sum would leave 2^47."""
    honest = Witness(run_reference(program_of_bytes(), dict.fromkeys("xw", np.ones((1, 1, TERMS), np.uint8))))
    data = bytearray(honest.descriptor(2))
    data[21], data[40] = x_type, w_type
    descriptor = parse(bytes(data))
    for chosen in product(*([(t.low,), (t.high,), (t.low, t.high)] for t in (x_type, w_type))):
        x, w = (np.resize(np.array(ends, t.numpy), TERMS) for ends, t in zip(chosen, (x_type, w_type), strict=True))
        roots = MerkleTree([tensor_root(Dtype.of(each), encode_tensor(each)) for each in (x, w, np.zeros(1, np.int32))])
        openings = tuple(Opening(whole(each), roots.open(place).siblings) for place, each in enumerate((x, w)))
        statement = Statement(trace_root(roots.values), 3, descriptor, 0, 0)
        expected = sum((left - 3) * (right + 5) for left, right in zip(x.tolist(), w.tolist(), strict=True))
        for start in (Accumulator(0), Accumulator(LIMIT - 1), Accumulator(1 - LIMIT)):
            end = Accumulator(start.value + expected)
            assert advance(statement, openings, None, start) == end
            assert chain().advance(bytes(data), statement, openings, None, start) == end


def at_its_ends(program: Program) -> Iterator[dict[str, np.ndarray]]:
    """All inputs full of their least integers, of their greatest, and of both in turn."""
    for places in ((0,), (1,), (0, 1), (1, 0)):
        ends = {each.name: (each.spec.interval.low, each.spec.interval.high) for each in program.inputs}
        yield {each.name: np.resize([ends[each.name][end] for end in places], each.spec.shape) for each in program.inputs}


@pytest.mark.parametrize("kind", OPERATORS)
def test_property_39_ends_of_every_range_are_alike_in_numpy_onnxruntime_and_solidity(kind):
    rng, seen = np.random.default_rng([39, *kind.encode()]), 0
    while seen < 8:
        program = random_program(kind, rng)
        if program is None:
            continue
        seen += 1
        for inputs in at_its_ends(program):
            trace = run_reference(program, inputs)
            assert OnnxView(program, every_output=True).trace(inputs).root == trace.root
            for element in some_elements(trace, rng)[:8]:
                for step in steps(trace, len(trace.tensors) - 1, element):
                    assert_step_alike(step)


def whole(tensor: np.ndarray) -> tuple[Run, ...]:
    tree = tensor_tree(encode_tensor(tensor))
    return show(encode_tensor(tensor), tree, range(len(tree.values)))


def test_conv_over_six_spatial_axes_is_alike():
    """A tensor of rank 8, a kernel of 64 taps, padding on every side."""
    rng, b = np.random.default_rng(5), Builder()
    x = b.input("x", (2, *(2, 1, 3, 2, 1, 3), 2), Interval(0, 255), Tokens())
    w = b.constant(rng.integers(-9, 10, (3, *(2,) * 6, 2)))
    rest = {"strides": (1, 2, 1, 2, 1, 2), "pads": (1,) * 12, "dilations": (1, 2, 1, 1, 1, 2), "groups": 1}
    b.output("y", b.apply("conv", x, w, x_zero=7, w_zero=0, **rest), Tokens())
    trace = run_reference(b.build(), {"x": rng.integers(0, 256, b.spec(x).shape)})
    for element in rng.choice(trace.tensors[1].size, 200, replace=False).tolist():
        for step in steps(trace, 1, element):
            assert_step_alike(step)


@pytest.mark.parametrize("kind", OPERATORS)
def test_neutral_is_alike(kind):
    trace = random_trace(kind, np.random.default_rng(1))
    step = next(steps(trace, len(trace.tensors) - 1, 0))
    answer = chain().call("neutral", word(OPERATORS[kind].CODE))
    assert signed(answer[:32]) == neutral(step.statement.descriptor).value == step.start.value and not any(answer[32:])


@pytest.mark.parametrize("code", [0, 14, 255])
def test_kind_that_is_none_is_refused(code):
    assert chain().call("neutral", word(code)) == Refused("NoSuchKind")
    assert chain().form(bytes([code])) == Refused("NoSuchKind")
    assert chain().form(b"") == Refused("NoSuchKind")


@pytest.mark.parametrize("code", range(1, 14))
def test_descriptor_that_ends_after_its_kind_is_malformed(code):
    assert chain().form(bytes([code])) == Refused("MalformedDescriptor")


def test_step_contract_refuses_another_operators_descriptor():
    trace = random_trace("mul", np.random.default_rng(1))
    step = next(steps(trace, len(trace.tensors) - 1, 0))
    other = Chain()
    other.steps = other.addresses[list(OPERATORS).index("add")]
    assert other.form(step.data) == Refused("NotThisOperator")
    assert other.advance(step.data, step.statement, step.openings, step.record, step.start) == Refused("NotThisOperator")
    assert other.finish(step.data, 0, step.end, step.record) == Refused("NotThisOperator")


def test_router_of_contracts_in_another_order_does_not_exist():
    own = chain()
    swapped = [own.addresses[1], own.addresses[0], *own.addresses[2:]]
    arguments = record_of(*(bytes(12) + bytes.fromhex(address[2:]) for address in swapped))
    with pytest.raises(RuntimeError, match="Revert"):
        own.deploy("Steps", arguments)


def test_every_contract_fits_an_evm():
    sizes = {name: len(chain().evm.get_code(address)) for name, address in zip(CONTRACTS, chain().addresses, strict=True)}
    assert max(sizes.values()) <= 24_576, sizes
