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
    with pytest.raises(chains.Reverted, match="AlreadySpent"):
        _open(chain, payout, public.claim, answer)


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
