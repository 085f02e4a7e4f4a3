# SPDX-License-Identifier: MIT OR Apache-2.0
"""What chains do to a watcher: re-orgs, nodes that lag or are gone, nonces that are taken, fees that rise, clocks that end."""

from __future__ import annotations

from dataclasses import replace

import pytest
from eth_account import Account

from evm.conftest import running_anvil
from evm.dispute_scenes import digits
from verifiable_ml import chain as chains
from verifiable_ml.dispute import daemon as daemons
from verifiable_ml.dispute import onchain, reader
from verifiable_ml.dispute.clock import Side
from verifiable_ml.dispute.daemon import BUMP, Daemon, patience_of
from verifiable_ml.dispute.docket import Docket, account_bytes
from verifiable_ml.dispute.duties import fee_limit, forecast
from verifiable_ml.dispute.duty import WHENEVER, Challenge, Duty, Play, Role
from verifiable_ml.dispute.game import Outcome, Reason
from verifiable_ml.dispute.liars import LIES
from verifiable_ml.dispute.rehearsal import rehearse
from verifiable_ml.dispute.runs import Runs, honest
from verifiable_ml.errors import Unreachable

CONVICTED = Outcome(Side.CHALLENGER, Reason.STEP)
KEY = "0x5de4111afa1a4b94908f83103eb1f1706367c2e68ca870fc3fb9a804cdab365a"
"""Of anvil's third account. Public knowledge, worthless anywhere else."""
GWEI = 10**9


@pytest.fixture
def chain(tmp_path):
    with running_anvil(tmp_path) as (url, _):
        yield chains.connect(url)


def ask(chain, method, *parameters):
    answer = chain.node.web3.provider.make_request(method, list(parameters))
    assert "error" not in answer, answer
    return answer["result"]


def signing(scene, **changes):
    """The watcher, its transactions signed here."""
    signer = Account.from_key(KEY)
    node = replace(scene.chain.node, sender=signer.address, signer=signer, **changes)
    made = scene.contracts
    parts = {name: replace(getattr(made, name), node=node) for name in ("registry", "claims", "games")}
    return Daemon(replace(made, **parts), Role(account_bytes(signer.address), watches=True), Runs([scene.program]))


def finished(scene, watcher, passes=12):
    for _ in range(passes):
        scene.proposer.once()
        watcher.once()
    return list(watcher.docket.matches.values())[-1].game.outcome


@pytest.mark.slow
@pytest.mark.parametrize("depth", [reader.DEPTH, 1], ids=["in_reach", "deeper"])
def test_property_24_reorg_in_the_middle_of_a_game_is_played_again(chain, monkeypatch, depth):
    """Moves name what they answer, so those of the other branch revert (property 24)."""
    monkeypatch.setattr(reader, "DEPTH", depth)
    scene = rehearse(*digits(), LIES["largest"], chain)
    watcher = signing(scene)
    scene.proposer.once()
    watcher.once()
    before = ask(chain, "evm_snapshot")
    for _ in range(2):
        scene.proposer.once()
        watcher.once()
    assert len(watcher.docket.matches) == 1
    played = next(iter(watcher.docket.matches.values())).game.number
    assert ask(chain, "evm_revert", before)
    assert next(iter(watcher.reader.read(watcher.account).matches.values())).game.number < played
    assert finished(scene, watcher) == CONVICTED


@pytest.mark.slow
def test_property_44_two_watchers_of_one_account_race_for_nonces_and_win(chain):
    scene = rehearse(*digits(), LIES["largest"], chain)
    first, second = signing(scene), signing(scene)
    for _ in range(12):
        scene.proposer.once()
        docket = second.docket = second.reader.read(second.account)
        first.once()
        second.reader.read = lambda account, seen=docket: seen  # what it has seen is out of date when it sends
        second.once()
        del second.reader.read
    assert second.count.refused + second.count.failures
    outcomes = [match.game.outcome for match in first.docket.matches.values()]
    assert CONVICTED in outcomes
    assert all(outcome in (CONVICTED, None) for outcome in outcomes)
    assert first.reader.read(first.account).owed == 0


@pytest.mark.slow
def test_property_44_fees_above_the_limit_are_waited_for_and_paid_in_the_last_half_of_the_clock(chain):
    scene = rehearse(*digits(), LIES["largest"], chain)
    watcher = signing(scene, max_fee=1000 * GWEI)
    scene.proposer.once()
    watcher.once()
    scene.proposer.once()
    ask(chain, "anvil_setNextBlockBaseFeePerGas", hex(400 * GWEI))
    ask(chain, "evm_mine")
    assert watcher.once() == []
    assert watcher.count.failures == 1
    ask(chain, "evm_increaseTime", 35)
    ask(chain, "anvil_setNextBlockBaseFeePerGas", hex(400 * GWEI))
    ask(chain, "evm_mine")
    assert [type(done.duty) for done in watcher.once()] == [Play]


@pytest.mark.slow
def test_property_44_transaction_that_no_block_takes_is_replaced_at_higher_fees(chain, monkeypatch):
    scene = rehearse(*digits(), LIES["largest"], chain)
    watcher = signing(scene)
    scene.proposer.once()
    ask(chain, "evm_setAutomine", False)
    monkeypatch.setattr(daemons, "PATIENCE", 0.5)
    assert watcher.once() == []
    assert watcher.bump == BUMP
    assert watcher.once() == []
    assert int(ask(chain, "txpool_status")["pending"], 16) == 1  # in the place of the first
    ask(chain, "evm_setAutomine", True)
    ask(chain, "evm_mine")
    assert finished(scene, watcher) == CONVICTED
    assert len(watcher.docket.matches) == 1


def test_property_44_transaction_that_no_block_takes_does_not_hold_up_the_others(chain, monkeypatch):
    """Three wrong assertions, no block: each challenge is tried in one pass, and all are made once there are blocks again."""
    program, trace = digits()
    scene = rehearse(program, trace, LIES["largest"], chain)
    scene.proposer.once()
    for account, lie in zip(chain.accounts[4:6], ("first", "middle"), strict=True):
        onchain.answer(scene.contracts.by(account), scene.request_id, LIES[lie](honest(trace)))
    watcher = signing(scene)
    ask(chain, "evm_setAutomine", False)
    monkeypatch.setattr(daemons, "PATIENCE", 0.3)
    assert watcher.once() == []
    assert watcher.bump == 3 * BUMP
    assert int(ask(chain, "txpool_status")["pending"], 16) == 1
    ask(chain, "evm_setAutomine", True)
    ask(chain, "evm_mine")
    while any(isinstance(done.duty, Challenge) for done in watcher.once()):
        pass
    assert [len(games) for games in watcher.docket.opened.values()] == [1, 1, 1]


@pytest.mark.parametrize(("left", "seconds"), [(WHENEVER, 30), (3600, 30), (60, 15), (20, 5), (3, 1), (-5, 1)])
def test_patience_is_a_part_of_what_is_left_until_a_duty_is_too_late(left, seconds):
    assert patience_of(Duty(1000 + left), Docket(1000, 1)) == seconds


def test_property_44_node_whose_logs_lag_behind_its_state_gets_no_move(monkeypatch):
    scene = rehearse(*digits(), LIES["largest"])
    scene.proposer.once()
    scene.watcher.once()
    scene.proposer.once()
    all_of_them = scene.watcher.reader._logged
    monkeypatch.setattr(scene.watcher.reader, "_logged", lambda first, last: all_of_them(first, last)[:-1])
    assert scene.watcher.once() == []
    monkeypatch.undo()
    assert [type(done.duty) for done in scene.watcher.once()] == [Play]


def test_property_44_node_that_is_gone_for_some_passes_is_asked_again(monkeypatch):
    scene = rehearse(*digits(), LIES["largest"])
    scene.proposer.once()
    answers, pauses = [False, False, True, True], []
    read = scene.watcher.reader.read

    def sometimes(account):
        if not answers.pop(0):
            raise Unreachable(thing="the node", reason="no node answers", hint="wait")
        return read(account)

    monkeypatch.setattr(scene.watcher.reader, "read", sometimes)
    scene.watcher.run(1.0, lambda: not answers, pauses.append)
    assert scene.watcher.count.failures == 2
    assert scene.watcher.count.done == {"challenge": 1}
    assert pauses == [2.0, 4.0, 1.0, 1.0]


# ---- forecast: property 45 -------------------------------------------------------------------------------------------


def test_property_45_clock_of_ones_own_that_runs_out_is_forecast_before_it_has():
    scene = rehearse(*digits(), LIES["largest"])
    scene.proposer.once()
    scene.watcher.once()
    scene.proposer.once()
    look = lambda: scene.watcher.reader.read(scene.watcher.account)  # noqa: E731
    assert forecast(look(), scene.watcher.role, scene.watcher.runs) == ()
    scene.chain.node.advance(56)
    (danger,) = forecast(look(), scene.watcher.role, scene.watcher.runs)
    assert danger.reason == "the clock runs out"
    assert 0 < danger.left <= 5
    assert forecast(look(), scene.proposer.role, scene.proposer.runs) == ()  # it is not the proposer's turn
    assert [type(done.duty) for done in scene.watcher.once()] == [Play]  # and there is still time


def test_property_45_margin_warns_earlier():
    scene = rehearse(*digits(), LIES["largest"])
    scene.proposer.once()
    scene.watcher.once()
    scene.proposer.once()
    docket = scene.watcher.reader.read(scene.watcher.account)
    assert [each.left for each in forecast(docket, scene.watcher.role, scene.watcher.runs, margin=60)]


def test_property_45_proposer_whose_run_no_longer_gives_its_assertion_is_warned_and_so_is_one_without_money():
    program, trace = digits()
    scene = rehearse(program, trace, LIES["largest"])
    scene.proposer.once()
    scene.watcher.once()
    docket = scene.proposer.reader.read(scene.proposer.account)
    (danger,) = forecast(docket, scene.proposer.role, Runs([program]))
    assert "no longer give" in danger.reason
    reasons = [each.reason for each in forecast(replace(docket, funds=1), scene.proposer.role, scene.proposer.runs)]
    assert reasons == ["1 wei do not pay for its moves"]
    unknown = [each.reason for each in forecast(docket, scene.proposer.role, lambda request: None)]
    assert unknown == ["the input or the program is not known here"]


def test_property_45_warning_is_logged_and_counted(caplog):
    scene = rehearse(*digits(), LIES["largest"])
    scene.proposer.once()
    scene.watcher.once()
    scene.proposer.once()
    scene.chain.node.advance(56)
    scene.watcher.once(lambda duty, docket: False)
    assert scene.watcher.count.warnings == 1
    assert "will be lost" in caplog.text


@pytest.mark.parametrize(
    ("left", "wanted"), [(61, 2 * GWEI), (31, 2 * GWEI), (30, 1000 * GWEI), (1, 1000 * GWEI)], ids=lambda value: str(value)
)
def test_property_44_fee_limit_rises_in_the_last_half_of_the_clock(left, wanted):
    assert fee_limit(deadline=1000 + left, now=1000, time=60, price=GWEI, most=1000 * GWEI) == wanted


def test_watcher_does_not_challenge_what_agrees_with_its_own_run():
    scene = rehearse(*digits())
    scene.proposer.once()
    assert not any(isinstance(done.duty, Challenge) for done in scene.watcher.once())
