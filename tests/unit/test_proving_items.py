# SPDX-License-Identifier: MIT OR Apache-2.0
"""Work items: cut, proved by an engine that fails now and then, kept, and not done twice."""

from __future__ import annotations

import pickle
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import numpy as np
import pytest

from tests.conftest import tiny_program
from verifiable_ml.commitment import Privacy
from verifiable_ml.errors import BackendUnavailable, IllegalMove, InvalidInput, ResourceExceeded, WorkerFailed
from verifiable_ml.proving import BatchProof, batch_backend
from verifiable_ml.proving.engines import ENGINES, LocalEngine, RayEngine, engine
from verifiable_ml.proving.items import RETRIES, Item, ProveItem, Work, items_of

pytest.importorskip("verifiable_ml_sumcheck", reason="the native prover is not installed: pip install ./circuits/sumcheck")

INPUTS = [{"x": np.array([[1, 2, 3, number]], np.uint8)} for number in range(7)]
SIZE = 2


@pytest.fixture(scope="module")
def key():
    return batch_backend("sumcheck").setup(tiny_program(), Privacy(), count=SIZE).verification


@dataclass
class Memory:
    """A shelf that counts how often it was written to."""

    proofs: dict[int, BatchProof] = field(default_factory=dict)
    written: Counter = field(default_factory=Counter)

    def get(self, number: int) -> BatchProof | None:
        return self.proofs.get(number)

    def put(self, number: int, proof: BatchProof) -> None:
        self.proofs[number] = proof
        self.written[number] += 1


@dataclass
class Flaky:
    """An engine whose workers fail: `faults` has what the attempts at an item answer before it is done."""

    faults: dict[int, list[bytes | Exception]]
    attempts: Counter = field(default_factory=Counter)

    def run(self, job, items) -> Iterator[tuple[Item, bytes | Exception]]:
        for item in reversed([*items]):  # in whatever order
            self.attempts[item.number] += 1
            left = self.faults.get(item.number)
            yield item, left.pop(0) if left else job(item)


def became(outcomes) -> dict[int, str]:
    return {each.number: each.became for each in outcomes}


def test_items_hold_all_inputs_in_order_and_the_last_is_filled_up():
    items = items_of(INPUTS, SIZE)
    assert [item.number for item in items] == [0, 1, 2, 3]
    assert [int(given["x"][0, 3]) for item in items for given in item.inputs] == [0, 1, 2, 3, 4, 5, 6, 6]
    assert items_of([], SIZE) == ()


def test_every_item_is_proved_and_a_second_run_keeps_it(key):
    shelf, items = Memory(), items_of(INPUTS, SIZE)
    work = Work(tiny_program(), key, shelf)
    assert became(work.done(items, LocalEngine())) == dict.fromkeys(range(4), "proved")
    for item in items:
        assert batch_backend("sumcheck").verify_batch(shelf.proofs[item.number], work.claims(item), key).accepted
    assert became(work.done(items, Flaky({}))) == dict.fromkeys(range(4), "kept")
    assert set(shelf.written.values()) == {1}


def test_item_that_is_missing_or_false_or_of_other_inputs_is_done_again(key):
    shelf, items = Memory(), items_of(INPUTS, SIZE)
    work = Work(tiny_program(), key, shelf)
    list(work.done(items, LocalEngine()))
    del shelf.proofs[0]
    shelf.proofs[1] = replace(shelf.proofs[1], payload=shelf.proofs[1].payload[:-32] + bytes(32))
    shelf.proofs[2] = shelf.proofs[3]
    assert became(work.done(items, LocalEngine())) == {0: "proved", 1: "proved", 2: "proved", 3: "kept"}


def test_worker_that_fails_now_and_then_loses_nothing(key):
    shelf = Memory()
    died, said_nonsense = RuntimeError("the worker died"), b"no proof"
    flaky = Flaky({0: [died], 2: [said_nonsense, died]})
    found = became(Work(tiny_program(), key, shelf).done(items_of(INPUTS, SIZE), flaky))
    assert found == dict.fromkeys(range(4), "proved")
    assert flaky.attempts == {0: 2, 1: 1, 2: 3, 3: 1}
    assert shelf.written == dict.fromkeys(range(4), 1)


def test_worker_that_always_fails_is_reported_and_the_others_are_kept(key):
    shelf, flaky = Memory(), Flaky({1: [RuntimeError("the worker died")] * 99})
    outcomes = [*Work(tiny_program(), key, shelf).done(items_of(INPUTS, SIZE), flaky)]
    assert became(outcomes) == {0: "proved", 1: "failed", 2: "proved", 3: "proved"}
    (failure,) = [each.error for each in outcomes if each.error]
    assert isinstance(failure, WorkerFailed)
    assert "the worker died" in failure.reason
    assert flaky.attempts[1] == RETRIES + 1
    assert shelf.proofs.keys() == {0, 2, 3}


def test_error_that_another_attempt_cannot_mend_is_not_tried_again(key):
    error = ResourceExceeded(thing="memory", reason="r", hint="h")
    flaky = Flaky({1: [error]})
    outcomes = [*Work(tiny_program(), key, Memory()).done(items_of(INPUTS, SIZE), flaky)]
    assert [each.error for each in outcomes if each.error] == [error]
    assert flaky.attempts[1] == 1


def test_proof_of_a_worker_that_lies_is_not_kept(key):
    shelf, items = Memory(), items_of(INPUTS, SIZE)
    other = ProveItem.of(tiny_program(), key)(items[3])
    outcomes = [*Work(tiny_program(), key, shelf, retries=0).done(items[:1], Flaky({0: [other]}))]
    assert became(outcomes) == {0: "failed"}
    assert "rejected: the proof is about another claim" in outcomes[0].error.reason
    assert shelf.proofs == {}


def test_local_engine_goes_on_after_an_error_and_stops_for_an_interrupt():
    def job(item):
        if item == 1:
            raise InvalidInput(thing="t", reason="r", hint="h")
        if item == 3:
            raise KeyboardInterrupt
        return b"done"

    answers = LocalEngine().run(job, range(4))
    assert next(answers) == (0, b"done")
    assert isinstance(next(answers)[1], InvalidInput)
    assert next(answers) == (2, b"done")
    with pytest.raises(KeyboardInterrupt):
        next(answers)


def test_job_item_and_errors_travel_to_workers_and_back(key):
    job, item = ProveItem.of(tiny_program(), key), items_of(INPUTS, SIZE)[0]
    there = pickle.loads(pickle.dumps((job, item)))
    assert BatchProof.from_bytes(there[0](there[1])) == BatchProof.from_bytes(job(item))
    for error in (WorkerFailed(thing="t", reason="r", hint="h"), IllegalMove(7, "r")):
        back = pickle.loads(pickle.dumps(error))
        assert (type(back), back.to_json(), str(back)) == (type(error), error.to_json(), str(error))


def test_engine_of_no_such_name_is_refused():
    assert {"local": LocalEngine, "ray": RayEngine} == ENGINES
    with pytest.raises(InvalidInput, match="local, ray"):
        engine("spark")


def test_ray_that_is_not_installed_is_an_error_with_the_way_out(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "ray", None)
    with pytest.raises(BackendUnavailable, match="verifiable-ml\\[ray\\]"):
        engine("ray")


@pytest.mark.slow
def test_ray_proves_items_and_a_task_that_dies_is_an_answer(key):
    ray = pytest.importorskip("ray")
    items = items_of(INPUTS, SIZE)
    try:
        found = became(Work(tiny_program(), key, Memory()).done(items, RayEngine()))
        assert found == dict.fromkeys(range(4), "proved")
        answers = dict(RayEngine().run(_dies_at_one, [0, 1, 2]))
    finally:
        ray.shutdown()
    assert answers[0] == answers[2] == b"done"
    assert isinstance(answers[1], Exception)


def _dies_at_one(item: int) -> bytes:
    if item == 1:
        import os

        os._exit(1)
    return b"done"
