# SPDX-License-Identifier: MIT OR Apache-2.0
"""The frozen vectors hold in Python; forge test and cargo test read the same files."""

from __future__ import annotations

import hashlib
import json

import numpy as np
import pytest
from eth_hash.auto import keccak as other_keccak

from unit.small_games import ASSERTION, CHALLENGER, GAME, PROPOSER, START
from vectors import games
from vectors.generate import FOLDER, all_vectors, little
from vectors.operator_cases import CASES
from vectors.programs import example_program
from verifiable_ml.commitment import Dtype, Opening, keccak, verify_opening
from verifiable_ml.dispute import rules
from verifiable_ml.dispute.clock import PROFILES
from verifiable_ml.dispute.game import Registration, Terms
from verifiable_ml.errors import IllegalMove, MalformedEvidence
from verifiable_ml.execute import run_reference
from verifiable_ml.program import OPERATORS, Builder, Interval, Requantise, Tokens
from verifiable_ml.program.files import to_files
from verifiable_ml.program.identity import descriptor

ON_PURPOSE = "if the meaning changed on purpose: make vectors, and say in the commit what breaks"
MADE = all_vectors()


def vectors(name: str) -> dict:
    return json.loads((FOLDER / f"{name}.json").read_text())


def cases(*names: str):
    return pytest.mark.parametrize(
        ("kind", "case"), [(name, case) for name in names for case in vectors(name)], ids=lambda part: str(part)
    )


def raw(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))


@pytest.mark.parametrize("name", sorted(MADE))
def test_vectors_are_what_the_package_says_today(name):
    assert (FOLDER / name).read_text() == MADE[name], f"{name} drifted; {ON_PURPOSE}"


def test_vectors_on_disk_are_all_made_and_cover_every_operator():
    assert {path.name for path in FOLDER.glob("*.json")} == set(MADE)
    assert {case.kind for case in CASES} == set(OPERATORS)
    assert len({(case.kind, case.name) for case in CASES}) == len(CASES)


def test_program_id_of_the_example_is_pinned():
    pinned = "0x" + example_program().id.hex()
    assert vectors("program_id")["example"]["program_id"] == pinned, f"every program's id changed; {ON_PURPOSE}"


def test_program_files_of_the_example_are_pinned():
    """The loader demands the bytes that it would write: were safetensors to write others, no saved program would load."""
    vector, files = vectors("program_id")["example"], to_files(example_program(), {})
    digests = {name: "0x" + hashlib.sha256(data).hexdigest() for name, data in files.items()}
    assert digests == dict(zip(vector["files"], vector["files_sha256"], strict=True)), f"saved programs changed; {ON_PURPOSE}"


KNOWN = {
    "empty": "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470",
    "abc": "4e03657aea45a94fc7d47ba826c8d667c0d1e6e33a64a036ec44f58fa12d6c45",
}


@pytest.mark.parametrize("name", KNOWN)
def test_keccak_vector_is_the_published_one(name):
    """From the Ethereum yellow paper's empty hash, and the Keccak team's own example."""
    vector = vectors("keccak")[name]
    assert vector["digest"] == "0x" + KNOWN[name] == "0x" + other_keccak(raw(vector["data"])).hex()


@cases("merkle")
def test_merkle_vector_by_the_definition_top_down(kind, case):
    vector = vectors(kind)[case]
    values = list(map(raw, vector["values"]))
    width = 1 << vector["depth"]
    assert width // 2 < len(values) <= width
    assert subtree(values, 0, width) == raw(vector["root"]), vector["why"]
    opening = Opening(vector["index"], tuple(map(raw, vector["siblings"])))
    assert verify_opening(raw(vector["root"]), vector["depth"], raw(vector["value"]), opening)


def subtree(values: list[bytes], start: int, width: int) -> bytes:
    """Rule 1 once more, from the root down."""
    if width == 1:
        return values[start] if start < len(values) else keccak(b"\x03")
    half = width // 2
    return keccak(b"\x01" + subtree(values, start, half) + subtree(values, start + half, half))


def tree_root(values: list[bytes]) -> bytes:
    width = 1
    while width < len(values):
        width *= 2
    return subtree(values, 0, width)


@cases("tensor_root")
def test_tensor_root_vector_by_the_definition(kind, case):
    vector = vectors(kind)[case]
    data = raw(vector["data"])
    leaves = [keccak(b"\x00" + data[start : start + 256]) for start in range(0, len(data), 256)]
    root = keccak(b"\x02" + bytes([vector["dtype"]]) + len(data).to_bytes(8, "big") + tree_root(leaves))
    assert root == raw(vector["root"]), vector["why"]


@cases("trace_root")
def test_trace_root_vector_by_the_definition(kind, case):
    vector = vectors(kind)[case]
    roots = list(map(raw, vector["roots"]))
    assert keccak(b"\x04" + len(roots).to_bytes(4, "big") + tree_root(roots)) == raw(vector["root"]), vector["why"]


@cases("claim_id")
def test_claim_id_vector_by_the_definition(kind, case):
    v = vectors(kind)[case]
    inputs = b"".join(bytes([scheme]) + raw(digest) for scheme, digest in zip(v["schemes"], v["digests"], strict=True))
    outputs = b"".join(map(raw, v["output_roots"]))
    counts = [bytes([len(v[part])]) for part in ("schemes", "outputs")]
    preimage = b"\x10" + raw(v["program_id"]) + counts[0] + inputs + counts[1] + outputs + bytes([v["privacy"]])
    assert keccak(preimage) == raw(v["claim_id"]), v["why"]


@cases("program_id")
def test_program_id_vector_by_the_definition(kind, case):
    v = vectors(kind)[case]
    leaves = [keccak(b"\x21" + raw(each)) for each in v["descriptors"]]
    head = b"\x20vml.program\x00\x01" + raw(v["salt"]) + keccak(raw(v["header"]))
    assert keccak(head + tree_root(leaves)) == raw(v["program_id"]), v["why"]


@cases("encoding")
def test_encoding_vector_by_the_definition(kind, case):
    v = vectors(kind)[case]
    assert keccak(b"\x22" + raw(v["canonical"])) == raw(v["root"]), v["why"]


def form_of(v: dict) -> Requantise | None:
    if not v["multiplier"]:
        return None
    return Requantise(np.array(v["multiplier"]), np.array(v["offset"]), v["shift"], v["low"], v["high"])


@cases("game")
def test_game_vector_move_by_move(kind, case):
    """From the file alone: the game is opened, each move is read back and sent, and what is stored is compared."""
    v = vectors(kind)[case]
    program = Registration(v["input_count"], v["count"] - v["input_count"], raw(v["descriptors"]))
    sides = {"proposer": PROPOSER, "challenger": CHALLENGER}
    terms = Terms(GAME, ASSERTION, *sides.values(), raw(v["trace_root"]), program, PROFILES[v["profile"]], v["fan_out"])
    game = rules.open_game(terms, raw(v["own_root"]), START)
    for sent in v["moves"]:
        move = games.read(sent, game)
        try:
            game, legal = rules.play(game, move, sides[sent["by"]], START + sent["now"]), True
        except (IllegalMove, MalformedEvidence):
            legal = False
        told = {key: value for key, value in sent.items() if key.startswith("after_")}
        assert (legal, games.after(game)) == (sent["legal"], told), f"{v['why']}; {ON_PURPOSE}"
    assert game.outcome is not None


def test_game_vectors_have_every_move_of_the_contract():
    sent = {(move["move"], move["legal"]) for vector in vectors("game").values() for move in vector["moves"]}
    kinds = {"reveal", "pick", "enterByReveal", "enterByBlock", "postBlock", "nameElement", "postPartials", "pickInterval"}
    assert sent == {(kind, legal) for kind in {*kinds, "stepElement", "stepPiece", "timeout"} for legal in (True, False)}


@cases("requantise")
def test_requantise_vector_agrees(kind, case):
    v = vectors(kind)[case]
    assert form_of(v)(np.array(v["accumulators"]).reshape(-1, 1)).ravel().tolist() == v["output"], f"{v['why']}; {ON_PURPOSE}"


@cases(*sorted(OPERATORS))
def test_operator_vector_agrees(kind, case):
    """From the file alone: program, descriptor, output."""
    v, builder, inputs = vectors(kind)[case], Builder(), {}
    refs = []
    for place, shape in enumerate(v["operand_shapes"]):
        dtype = Dtype(v["operand_dtypes"][place])
        values = np.frombuffer(raw(v["operands"][place]), dtype.numpy).reshape(shape)
        assert values.ravel().tolist() == v["operand_values"][place]
        if v["constants"][place]:
            refs.append(builder.constant(values))
        else:
            refs.append(builder.input(f"x{place}", tuple(shape), Interval(*v["intervals"][place]), Tokens()))
            inputs[f"x{place}"] = values
    builder.output("y", builder.apply(kind, *refs, requantise=form_of(v), **v["attributes"]), Tokens())
    program = builder.build()
    output = run_reference(program, inputs).tensors[-1]
    assert output.tobytes() == raw(v["output"]) and list(output.shape) == v["output_shape"], f"{v['why']}; {ON_PURPOSE}"
    assert raw(v["output"]) == little(v["output_values"], Dtype(v["output_dtype"])) and Dtype.of(output) == v["output_dtype"]
    assert descriptor(program, program.operators[0]) == raw(v["descriptor"]), f"the descriptor drifted; {ON_PURPOSE}"
