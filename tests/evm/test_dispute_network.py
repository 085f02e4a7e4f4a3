# SPDX-License-Identifier: MIT OR Apache-2.0
"""Accounts on a real node, a loop each: an honest proposer, a lying one, two watchers, a griefer (property 4)."""

from __future__ import annotations

import threading

import pytest

from evm.conftest import running_anvil
from evm.dispute_scenes import digits
from verifiable_ml import chain as chains
from verifiable_ml.chain import Reverted
from verifiable_ml.dispute import onchain
from verifiable_ml.dispute.daemon import Daemon
from verifiable_ml.dispute.deployment import found
from verifiable_ml.dispute.docket import account_bytes
from verifiable_ml.dispute.duty import Role
from verifiable_ml.dispute.liars import LIES
from verifiable_ml.dispute.rehearsal import rehearse
from verifiable_ml.dispute.runs import Runs
from verifiable_ml.dispute.settlement import AssertionStatus, RequestStatus
from verifiable_ml.errors import ChainError

PRICE = 10**9


def loop(url, claims, account, stop, **role):
    """A daemon on a thread and a connection of its own."""
    made = found(chains.connect(url), claims).by(account)
    daemon = Daemon(made, Role(account_bytes(account), **role), Runs([digits()[0]]))
    thread = threading.Thread(target=daemon.run, args=(0.1, stop.is_set), daemon=True)
    thread.start()
    return daemon, thread


def griefing(contracts, stop):
    """Challenges whatever there is, as often as it may, and never answers."""
    seen = set()
    while not stop.wait(0.3):
        try:
            for event in contracts.claims.events(0, contracts.claims.node.number()):
                if event.name == "Asserted" and event.values["assertionId"] not in seen:
                    seen.add(event.values["assertionId"])
                    onchain.challenge(contracts, event.values["requestId"], event.values["assertionId"], bytes(32))
        except (Reverted, ChainError):
            continue


@pytest.mark.slow
def test_property_04_honest_answer_is_final_and_no_honest_account_has_lost(tmp_path):
    program, trace = digits()
    stop = threading.Event()
    with running_anvil(tmp_path) as (url, _):
        scene = rehearse(program, trace, LIES["middle"], chains.connect(url))
        accounts = scene.chain.accounts
        before = {place: scene.chain.balance(accounts[place]) for place in (4, 5, 6, 7)}
        claims = scene.contracts.claims.address
        honest, watchers = accounts[4], accounts[5:7]
        griefer = threading.Thread(target=griefing, args=(found(chains.connect(url), claims).by(accounts[7]), stop), daemon=True)
        scene.proposer.once()
        running = [
            loop(url, claims, honest, stop, proposes=True),
            *(loop(url, claims, account, stop, watches=True) for account in watchers),
        ]
        griefer.start()
        for _ in range(120):
            scene.proposer.once()
            scene.chain.node.advance(2)
            stop.wait(0.5)
            docket = scene.watcher.reader.read(scene.watcher.account)
            (request,) = docket.requests.values()
            open_games = sum(each.open_games for each in docket.assertions.values())
            if (
                request.status is RequestStatus.FINAL
                and not open_games
                and not any(d.docket.owed for d, _ in running if d.docket)
            ):
                break
        stop.set()
        for _, thread in running:
            thread.join(10)
        after = {place: scene.chain.balance(accounts[place]) for place in before}
    assert request.status is RequestStatus.FINAL
    right = [each for each in docket.assertions.values() if each.trace_root == trace.root]
    wrong = [each for each in docket.assertions.values() if each.trace_root != trace.root]
    assert AssertionStatus.FINAL in [each.status for each in right]
    assert wrong
    assert all(each.status is AssertionStatus.DEAD for each in wrong)
    gas = 10**15  # of transactions, at most; the bonds are 2.4 and 9.6 of these
    assert after[4] - before[4] > 10**15 - gas  # the fee, and the griefer's bonds
    assert min(after[5] - before[5], after[6] - before[6]) > -3 * gas  # who was beaten to it has its bond back
    assert max(after[5] - before[5], after[6] - before[6]) > 3 * gas  # half of the liar's bond
    assert after[7] < before[7] - 2 * gas  # the griefer's bond against the right answer
