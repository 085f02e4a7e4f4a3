# SPDX-License-Identifier: MIT OR Apache-2.0
"""The two contracts together: the main one pays on what the verifier has checked, whoever sends the proof."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from verifiable_ml import chain as chains
from verifiable_ml.chain import evidence_arguments, inputs_id
from verifiable_ml.commitment import Dtype, OutputBytes

FOREVER = 2**63
SUM = 10**18


@pytest.fixture
def story(public):
    """(chain, main contract, the proof, its answer): a sum is locked on the tiny circuit's input."""
    chain = chains.embedded()
    chain.register(public.registration())
    payout = chain.deploy("VerifiedPayout", chain.claim_verifier.address, public.claim.program_id, 0, int(Dtype.I16))
    answer = int(np.frombuffer(public.claim.outputs[0].data, "<i2").argmax())
    return chain, payout, answer


def _open(chain, payout, claim, answer):
    funder, beneficiary = chain.accounts[1:3]
    payout.by(funder).send("open", inputs_id(claim), answer, beneficiary, FOREVER, value=SUM)
    return funder, beneficiary


def test_payout_verified_answer_pays_the_beneficiary(story, public):
    chain, payout, answer = story
    _, beneficiary = _open(chain, payout, public.claim, answer)
    before = chain.balance(beneficiary)
    payout.by(chain.accounts[3]).send("settle", *evidence_arguments(public.claim, public))
    sent = payout.by(beneficiary).send("withdraw")
    assert before + SUM - chain.balance(beneficiary) <= sent.gas_used * 10**11
    assert chain.balance(payout.address) == 0


def test_payout_another_answer_pays_the_funder(story, public):
    chain, payout, answer = story
    funder, beneficiary = _open(chain, payout, public.claim, (answer + 1) % 3)
    payout.send("settle", *evidence_arguments(public.claim, public))
    assert payout.call("balances", funder) == (SUM,)
    assert payout.call("balances", beneficiary) == (0,)


def test_payout_tampered_output_is_refused_and_moves_nothing(story, public):
    chain, payout, answer = story
    _open(chain, payout, public.claim, (answer + 1) % 3)
    lie = np.roll(np.frombuffer(public.claim.outputs[0].data, "<i2"), 1)
    told = replace(public.claim, outputs=(OutputBytes(Dtype.I16, lie.tobytes()),))
    with pytest.raises(chains.Reverted, match="ProofRejected"):
        payout.call("settle", *evidence_arguments(told, public))
    with pytest.raises(chains.Reverted, match="ProofRejected"):
        payout.send("settle", *evidence_arguments(told, public))
    assert chain.balance(payout.address) == SUM


def test_payout_replayed_proof_is_refused(story, public):
    chain, payout, answer = story
    _open(chain, payout, public.claim, answer)
    arguments = evidence_arguments(public.claim, public)
    payout.send("settle", *arguments)
    with pytest.raises(chains.Reverted, match="UnknownOrder"):
        payout.call("settle", *arguments)


def test_payout_public_input_that_a_stranger_ordered_is_not_blocked(story, public):
    """One wei of a stranger, with no deadline in sight: its proof settles it, and the input is free again."""
    chain, payout, answer = story
    stranger = chain.accounts[4]
    payout.by(stranger).send("open", inputs_id(public.claim), answer, stranger, FOREVER, value=1)
    with pytest.raises(chains.Reverted, match="OrderIsOpen"):
        _open(chain, payout, public.claim, answer)
    payout.send("settle", *evidence_arguments(public.claim, public))
    _, beneficiary = _open(chain, payout, public.claim, answer)
    payout.send("settle", *evidence_arguments(public.claim, public))
    assert payout.call("balances", beneficiary) == (SUM,)


def test_payout_read_with_another_dtype_cannot_be_deployed(story, public):
    chain, _, _ = story
    with pytest.raises(chains.Reverted, match=r"WrongDtype\(pinned=1, given=0\)"):
        chain.deploy("VerifiedPayout", chain.claim_verifier.address, public.claim.program_id, 0, int(Dtype.U8))
    with pytest.raises(chains.Reverted, match="UnknownProgram"):
        chain.deploy("VerifiedPayout", chain.claim_verifier.address, bytes(32), 0, int(Dtype.I16))


@pytest.mark.parametrize("transport", [0, 1], ids=["http", "ipc"])
def test_payout_on_a_real_node_from_deployment_to_money(anvil, public, transport):
    """deploy, register, verify, open, a lie, settle, a replay, withdraw: each a transaction or a refusal of anvil."""
    chain = chains.connect(anvil[transport], chain_id=31337)
    registered = chain.register(public.registration())
    assert chain.check(public.registration()) == ()
    assert chain.verify(public, public.claim, public).accepted
    payout = chain.deploy("VerifiedPayout", registered.claim_verifier, public.claim.program_id, 0, int(Dtype.I16))
    values = np.frombuffer(public.claim.outputs[0].data, "<i2")
    funder, beneficiary = _open(chain, payout, public.claim, int(values.argmax()))
    arguments = evidence_arguments(public.claim, public)
    told = replace(public.claim, outputs=(OutputBytes(Dtype.I16, np.roll(values, 1).tobytes()),))
    with pytest.raises(chains.Reverted, match="ProofRejected"):
        payout.send("settle", *evidence_arguments(told, public))
    with pytest.raises(chains.Reverted, match="TooEarly"):
        payout.by(funder).send("reclaim", inputs_id(public.claim))
    payout.by(chain.accounts[3]).send("settle", *arguments)
    with pytest.raises(chains.Reverted, match="UnknownOrder"):
        payout.send("settle", *arguments)
    before = chain.balance(beneficiary)
    sent = payout.by(beneficiary).send("withdraw")
    assert SUM - 10**12 * sent.gas_used < chain.balance(beneficiary) - before < SUM
    assert chain.balance(payout.address) == 0


def test_payout_hidden_input_counts_once(proofs):
    hashed = proofs["hashed"]
    chain = chains.embedded()
    chain.register(hashed.registration())
    privacy = hashed.claim.privacy.code
    payout = chain.deploy("VerifiedPayout", chain.claim_verifier.address, hashed.claim.program_id, privacy, int(Dtype.I16))
    _open(chain, payout, hashed.claim, 0)
    payout.send("settle", *evidence_arguments(hashed.claim, hashed))
    with pytest.raises(chains.Reverted, match="AlreadySpent"):
        _open(chain, payout, hashed.claim, 0)
