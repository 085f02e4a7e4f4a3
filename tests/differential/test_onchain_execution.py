# SPDX-License-Identifier: MIT OR Apache-2.0
"""Programs run by the chain itself, rule 40: outputs, program id and claim id are those of the reference, byte for byte."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from eth_abi import decode, encode

import verifiable_ml as vml
from differential.random_programs import KINDS, image_program, random_inputs, random_program
from differential.step_chain import Chain, Refused
from verifiable_ml.commitment import Dtype, encode_tensor, tensor_root
from verifiable_ml.execute import Trace, public_claim, run_reference
from verifiable_ml.program import Builder, Interval, Program, Requantise, Tokens, identity

GAS = Path(__file__).with_name("onchain_gas.json")
ZOO = ["digits-mlp", "credit-default", "digits-cnn"]


class OnChain(Chain):
    """The contract, behind the thirteen of the steps."""

    def __init__(self) -> None:
        super().__init__(gas_limit=10**9)  # to compare also what no block would take
        self.target = self.deploy("OnChainExecution", bytes(12) + bytes.fromhex(self.steps[2:]))

    def ask(self, signature: str, answer: str, *arguments: object, send: bool = False) -> tuple | Refused:
        """A call, or a transaction if `send`."""
        name, types = signature.removesuffix(")").split("(", 1)
        data = encode(_types(types), arguments)
        found = self.to(self.target, f"{name}({types})", data, send=send)
        return found if isinstance(found, Refused) else decode(_types(answer), found)

    def store(self, dtype: Dtype, data: bytes) -> bytes:
        return self.ask("store(uint8,bytes)", "bytes32", int(dtype), data, send=True)[0]

    def register(self, program: Program) -> bytes:
        """Stores what the program needs, then the program."""
        for values in program.constants:
            self.store(Dtype.of(values), encode_tensor(values))
        for table in map(identity.records, program.operators):
            if table is not None:
                self.store(Dtype.I64, encode_tensor(np.ascontiguousarray(table, "<i8")))
        descriptors = [identity.descriptor(program, operator) for operator in program.operators]
        arguments = (program.salt, identity.header(program), descriptors)
        return self.ask("register(bytes32,bytes,bytes[])", "bytes32", *arguments, send=True)[0]

    def run(self, program_id: bytes, inputs: list[bytes]) -> tuple | Refused:
        """(claim id, outputs)."""
        return self.ask("run(bytes32,bytes[])", "bytes32,bytes[]", program_id, inputs)


def _types(text: str) -> list[str]:
    return text.split(",") if text else []


@cache
def chain() -> OnChain:
    return OnChain()


def assert_runs_alike(program: Program, trace: Trace) -> None:
    assert chain().register(program) == program.id
    found = chain().run(program.id, [encode_tensor(tensor) for tensor in trace.inputs])
    assert not isinstance(found, Refused), found
    assert list(found[1]) == [encode_tensor(tensor) for tensor in trace.outputs]
    assert found[0] == public_claim(trace).id


@pytest.mark.parametrize("kind", KINDS)
def test_random_program_of_one_operator_runs_alike(kind):
    rng, seen = np.random.default_rng([31, *kind.encode()]), 0
    while seen < 12:
        program = random_program(kind, rng)
        if program and program.operators[0].output.size <= 300:
            assert_runs_alike(program, run_reference(program, random_inputs(program, rng)))
            seen += 1


def test_random_chain_of_operators_runs_alike():
    rng = np.random.default_rng(32)
    for _ in range(6):
        program = image_program(rng)
        assert_runs_alike(program, run_reference(program, random_inputs(program, rng)))


@cache
def zoo(name: str):
    model = vml.zoo.model(name)
    return model, vml.compile(model.path, calibration=model.calibration())


@pytest.mark.parametrize("name", [ZOO[0], *(pytest.param(name, marks=pytest.mark.slow) for name in ZOO[1:])])
def test_model_of_the_zoo_runs_alike_for_what_the_table_says(name):
    model, program = zoo(name)
    assert chain().register(program) == program.id
    for sample in model.test()[0][:5]:
        claim, trace = program.run(sample)
        found = chain().run(program.id, [encode_tensor(tensor) for tensor in trace.inputs])
        assert found == (claim.id, tuple(encode_tensor(tensor) for tensor in trace.outputs))
    told = json.loads(GAS.read_text())[name]
    assert abs(chain().gas_used - told) <= told // 20, "if on purpose: python tests/differential/test_onchain_execution.py"


def small() -> Program:
    """Two layers, an input of [0, 9], a bias."""
    b = Builder()
    x = b.input("x", (1, 4), Interval(0, 9), Tokens())
    form = Requantise(np.array([3, 1]), np.array([8, -2]), 2, 0, 255)
    hidden = b.apply("matmul", x, b.constant(np.arange(8).reshape(2, 4)), requantise=form)
    b.output("y", b.apply("argmax", hidden), Tokens())
    return b.build()


def registered(program: Program, **changes) -> tuple | Refused:
    """With the constants on chain, and header or descriptors changed."""
    chain().register(program)
    descriptors = [identity.descriptor(program, operator) for operator in program.operators]
    told = {"salt": program.salt, "header": identity.header(program), "descriptors": descriptors, **changes}
    return chain().ask("register(bytes32,bytes,bytes[])", "bytes32", *told.values(), send=True)


def edited(data: bytes, place: int, new: bytes) -> bytes:
    return data[:place] + new + data[place + len(new) :]


HEADER = identity.header(small())
FIRST, SECOND = (identity.descriptor(small(), operator) for operator in small().operators)
CONTRADICTIONS = {
    "header cut": ({"header": HEADER[:-1]}, "MalformedDescriptor"),
    "header longer": ({"header": HEADER + b"\0"}, "MalformedDescriptor"),
    "header empty": ({"header": b""}, "MalformedDescriptor"),
    "a descriptor less": ({"descriptors": [FIRST]}, "BadProgram"),
    "no descriptors": ({"descriptors": []}, "BadProgram"),
    "a descriptor more": ({"descriptors": [FIRST, SECOND, SECOND]}, "BadProgram"),
    "descriptors swapped": ({"descriptors": [SECOND, FIRST]}, "BadProgram"),
    "an operator reads itself": ({"descriptors": [FIRST, edited(SECOND, 12, b"\2")]}, "BadProgram"),
    "an operator reads another type": ({"descriptors": [edited(FIRST, 17, b"\1"), SECOND]}, "BadProgram"),
    "an output beyond the trace": ({"header": edited(HEADER, len(HEADER) - 38, (3).to_bytes(4, "big"))}, "BadProgram"),
    "a constant that nobody stored": ({"descriptors": [edited(FIRST, 28, bytes(32)), SECOND]}, "NotStored"),
    "records that nobody stored": ({"descriptors": [edited(FIRST, len(FIRST) - 40, b"\1" * 32), SECOND]}, "NotStored"),
    "a kind that is none": ({"descriptors": [b"\x0e" + FIRST[1:], SECOND]}, "MalformedDescriptor"),
    "shapes that do not fit": ({"descriptors": [edited(FIRST, len(FIRST) - 8, (5).to_bytes(4, "big")), SECOND]}, "Unfit"),
}


@pytest.mark.parametrize("case", CONTRADICTIONS)
def test_program_that_contradicts_itself_is_not_registered(case):
    changes, error = CONTRADICTIONS[case]
    assert registered(small()) == (small().id,)
    assert registered(small(), **changes) == Refused(error)


@pytest.mark.parametrize(
    ("place", "dtype", "data"),
    [(28, Dtype.I64, encode_tensor(small().constants[0])), (len(FIRST) - 40, Dtype.U8, bytes(32))],
    ids=["constant", "records"],
)
def test_attack_bytes_that_were_stored_as_another_type_are_not_run(place, dtype, data):
    """Else the chain runs what no dispute could open: one program, two readings."""
    root = chain().store(dtype, data)
    assert registered(small(), descriptors=[edited(FIRST, place, root), SECOND]) == Refused("BadProgram")


def test_program_of_another_salt_is_another_program():
    (other,) = registered(small(), salt=b"\1" * 32)
    assert other != small().id
    assert chain().run(other, [bytes(4)])[0] != chain().run(small().id, [bytes(4)])[0]


INPUTS = {
    "none": ([], "WrongCount"),
    "two": ([bytes(4), bytes(4)], "WrongCount"),
    "short": ([bytes(3)], "WrongLength"),
    "long": ([bytes(5)], "WrongLength"),
    "outside": ([b"\0\0\0\x0a"], "OutsideInterval"),
}


@pytest.mark.parametrize("case", INPUTS)
def test_run_on_a_bad_input_is_refused(case):
    inputs, error = INPUTS[case]
    assert registered(small()) == (small().id,)
    assert chain().run(small().id, [b"\x09" * 4])[1] == (b"\1",)
    assert chain().run(small().id, inputs) == Refused(error)


def test_run_of_an_unknown_program_is_refused():
    assert chain().run(bytes(32), [bytes(4)]) == Refused("UnknownProgram")


def test_store_twice_keeps_the_first_place():
    roots = {chain().store(Dtype.U8, b"\1\2") for _ in range(2)}
    assert roots == {tensor_root(Dtype.U8, b"\1\2")}
    assert chain().store(Dtype.I16, b"\1\2") not in roots
    assert chain().ask("store(uint8,bytes)", "bytes32", 4, b"\1", send=True) == Refused("NoSuchDtype")
    assert chain().ask("store(uint8,bytes)", "bytes32", 0, b"", send=True) == Refused("NoElements")


if __name__ == "__main__":
    spent = {}
    for name in ZOO:
        model, program = zoo(name)
        chain().register(program)
        chain().run(program.id, [encode_tensor(tensor) for tensor in program.run(model.test()[0][0])[1].inputs])
        spent[name] = chain().gas_used
    GAS.write_text(json.dumps(spent, indent=1) + "\n")
