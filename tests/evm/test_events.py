# SPDX-License-Identifier: MIT OR Apache-2.0
"""What contracts have logged, and a clock that can be advanced, on the embedded EVM and on anvil."""

from __future__ import annotations

import pytest

from verifiable_ml import chain as chains
from verifiable_ml.chain import Log
from verifiable_ml.chain.events import read_event
from verifiable_ml.commitment import keccak
from verifiable_ml.errors import ChainError


@pytest.fixture(params=["embedded", "anvil"])
def chain(request):
    return chains.embedded() if request.param == "embedded" else chains.connect(request.getfixturevalue("anvil")[0])


def test_events_of_a_contract_are_named_in_order_and_only_from_the_blocks_asked_for(chain, proofs):
    before = chain.node.number()
    registrations = [proof.registration() for proof in proofs.values()]
    for registration in registrations:
        chain.register(registration)
    found = list(chain.claim_verifier.events(before + 1, chain.node.number()))
    assert [event.name for event in found] == ["Registered"] * len(registrations)
    assert [event.values["programId"] for event in found] == [each.program_id for each in registrations]
    assert list(chain.claim_verifier.events(found[1].log.block, found[1].log.block)) == [found[1]]
    assert not list(chain.claim_verifier.events(0, before))


def test_clock_is_advanced_by_what_is_asked_for(chain):
    before, block = chain.node.now(), chain.node.number()
    chain.node.advance(86_400)
    assert 86_400 <= chain.node.now() - before <= 86_460
    assert chain.node.number() > block


def test_clock_of_a_node_that_keeps_real_time_cannot_be_advanced(anvil, monkeypatch):
    chain = chains.connect(anvil[0])
    refusal = {"jsonrpc": "2.0", "id": 1, "error": {"code": -32601, "message": "the method does not exist"}}
    monkeypatch.setattr(chain.node.web3.provider, "make_request", lambda *_: refusal)
    with pytest.raises(ChainError, match="clock"):
        chain.node.advance(1)


TRANSFER = {
    "type": "event",
    "name": "Sent",
    "inputs": [
        {"name": "to", "type": "address", "indexed": True},
        {"name": "why", "type": "string", "indexed": True},
        {"name": "amount", "type": "uint256", "indexed": False},
    ],
}
SENT = keccak(b"Sent(address,string,uint256)")


def log(topics, data):
    return Log("0x" + "00" * 20, tuple(topics), data, 1, bytes(32), 0)


def test_event_of_indexed_text_has_its_hash():
    word = keccak(b"because")
    event = read_event(log([SENT, bytes(12) + b"\x11" * 20, word], (7).to_bytes(32, "big")), [TRANSFER])
    assert event.values == {"to": "0x" + "11" * 20, "why": word, "amount": 7}


@pytest.mark.parametrize(
    ("topics", "data"),
    [
        ([], b""),
        ([bytes(32)], bytes(32)),
        ([SENT], bytes(32)),
        ([SENT, bytes(32), bytes(32)], b"short"),
        ([SENT, b"\xff" * 32, b""], b""),
    ],
)
def test_log_that_is_no_event_of_the_abi_is_none(topics, data):
    assert read_event(log(topics, data), [TRANSFER]) is None
