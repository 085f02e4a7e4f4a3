# SPDX-License-Identifier: MIT OR Apache-2.0
"""The native prover against the reference, verified in Rust and on chain: named cases and drawn programs, also one output off."""

from __future__ import annotations

import numpy as np
import pytest

from differential.cases import program_of
from differential.random_programs import random_inputs, random_program
from differential.record_sumcheck import statement, words
from differential.step_chain import Refused
from differential.sumcheck_verifier import Recorded, verifier
from differential.test_ezkl_operators import UGLY
from vectors.operator_cases import CASES
from verifiable_ml.execute import run_reference
from verifiable_ml.program import OPERATORS
from verifiable_ml.program.files import GRAPH, WEIGHTS, to_files

native = pytest.importorskip(
    "verifiable_ml_sumcheck", reason="the native prover is not installed: pip install ./circuits/sumcheck"
)

NAMED = {f"{case.kind}-{case.name}": case for case in (*CASES, *UGLY)}
REFUSED = {
    "max-innermost": "2^61",
    "compare-strict": "2^61",
    "argmax-tie_is_the_first": "2^61",
}
"""Known gaps: what the prover refuses, and why. A case that becomes provable fails here."""
SEEDS = range(12)


def flat(tensors) -> list[list[int]]:
    return [np.asarray(tensor).astype(np.int64).ravel().tolist() for tensor in tensors]


def assert_proves(program, inputs) -> None:
    trace, files = run_reference(program, inputs), to_files(program, {})
    prover = native.Prover(files[GRAPH], files[WEIGHTS], program.id, 1, None, b"tests")
    key, reference = prover.verification()
    given = flat(trace.inputs)
    outputs, proof = prover.prove(bytes(32), given)
    assert outputs == flat(trace.outputs)
    plan, _, *intervals = native.plan(key, reference)
    shown = Recorded(plan, bytes(32), statement(intervals, given, outputs), words(proof))
    assert native.verify(key, reference, bytes(32), given, outputs, proof) == ("accepted", "")
    assert not isinstance(verifier().verify(shown), Refused)
    outputs[0][-1] += 1
    assert native.verify(key, reference, bytes(32), given, outputs, proof)[0] == "rejected"


@pytest.mark.parametrize("name", sorted(NAMED))
def test_sumcheck_named_case_proves_what_the_reference_gives(name):
    case = NAMED[name]
    program = program_of(case.kind, case.operands, case.form, **case.attributes)
    values = [operand.array for operand in case.operands if operand.interval is not None]
    inputs = {given.name: each.astype(given.spec.dtype.numpy) for given, each in zip(program.inputs, values, strict=True)}
    if name in REFUSED:
        with pytest.raises(native.Refused, match=REFUSED[name].replace("^", r"\^")):
            assert_proves(program, inputs)
    else:
        assert_proves(program, inputs)


@pytest.mark.parametrize("kind", sorted(OPERATORS))
def test_sumcheck_drawn_programs_prove_or_are_refused_by_name(kind):
    proved = 0
    for seed in SEEDS:
        rng = np.random.default_rng(seed)
        program = random_program(kind, rng)
        if program is None:
            continue
        try:
            assert_proves(program, random_inputs(program, rng))
            proved += 1
        except native.Refused as refused:
            operator, reason = refused.args
            assert reason and (operator == "an input" or operator.startswith(kind))
    assert proved > 0
