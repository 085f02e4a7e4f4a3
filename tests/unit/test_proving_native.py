# SPDX-License-Identifier: MIT OR Apache-2.0
"""The native prover as a guest of this process: it tells its stages, it can be cancelled, it keeps to memory and threads."""

from __future__ import annotations

import sys
import threading
import types

import pytest

from tests.conftest import TINY_INPUT, tiny_program
from verifiable_ml.commitment import Privacy
from verifiable_ml.errors import BackendUnavailable, InvalidInput, ResourceExceeded, UnsupportedModel
from verifiable_ml.proving import UNBOUND, backend
from verifiable_ml.proving.sumcheck import SumcheckBackend
from verifiable_ml.proving.sumcheck.native import native, threads, watched

REQUEST = bytes(range(32))


@pytest.fixture(scope="module")
def keys():
    pytest.importorskip("verifiable_ml_sumcheck", reason="the native prover is not installed: pip install ./circuits/sumcheck")
    return SumcheckBackend().setup(tiny_program(), Privacy())


def stages_of(keys, **options) -> list[str]:
    told: list[str] = []
    SumcheckBackend(**options).prove(tiny_program(), TINY_INPUT, keys, lambda text, share: told.append(text))
    return [stage for place, stage in enumerate(told) if stage not in told[:place]]


def test_progress_is_told_every_stage_in_order(keys):
    told = [stage for stage in stages_of(keys) if stage != "starting"]
    assert told[-9:] == [
        "running the program", "committing to the witness", "committing to the lookups", "committing to the helpers",
        "sumcheck of the lookups", "claims on all values", "sumcheck of the products", "last sumcheck", "opening",
    ]  # fmt: skip


def test_setup_tells_its_stages():
    pytest.importorskip("verifiable_ml_sumcheck")
    told: list[str] = []
    SumcheckBackend().setup(tiny_program(logits=77), Privacy(), lambda text, share: told.append(text))
    assert [stage for stage in told if stage != "starting"][-1] == "committing to the weights"


@pytest.mark.parametrize("raised", [KeyboardInterrupt, InvalidInput(thing="t", reason="r", hint="h")], ids=str)
def test_whatever_progress_raises_cancels_the_proof_and_no_thread_is_left(keys, raised):
    def progress(text, share):
        if text == "committing to the witness":
            raise raised

    with pytest.raises(raised if isinstance(raised, type) else type(raised)):
        SumcheckBackend().prove(tiny_program(), TINY_INPUT, keys, progress)
    assert [thread for thread in threading.enumerate() if thread.name == "sumcheck"] == []
    assert SumcheckBackend().prove(tiny_program(), TINY_INPUT, keys).payload


def test_cancelled_work_hears_of_it_at_its_next_stage():
    heard = []

    def work(told):
        heard.append(told("first"))
        while told("again"):
            pass
        heard.append("cancelled")

    def progress(text, share):
        if text == "again":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        watched(work, progress)
    assert heard == [True, "cancelled"]


def test_error_of_the_work_goes_on_to_the_caller():
    def work(told):
        raise ZeroDivisionError("boom")

    with pytest.raises(ZeroDivisionError, match="boom"):
        watched(work, lambda text, share: None)


# ---- what it may take --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("work", ["setup", "prove"])
def test_work_beyond_the_memory_limit_is_refused_before_it(keys, work):
    limited = SumcheckBackend(memory_limit=1000)
    with pytest.raises(ResourceExceeded, match=r"the estimate is .* MiB, the limit is 0 MiB"):
        limited.setup(tiny_program(), Privacy()) if work == "setup" else limited.prove(tiny_program(), TINY_INPUT, keys)


def test_memory_limit_and_threads_are_read_from_the_environment(monkeypatch):
    monkeypatch.setenv("VML_MEMORY_LIMIT", "4294967296")
    monkeypatch.setenv("VML_THREADS", "3")
    assert (backend("sumcheck").memory_limit, backend("sumcheck").threads) == (4294967296, 3)


@pytest.mark.parametrize("text", ["many", "-1", "1.5", "99999"])
def test_threads_that_are_no_number_are_refused(monkeypatch, text):
    monkeypatch.setenv("VML_THREADS", text)
    with pytest.raises(InvalidInput, match="VML_THREADS"):
        threads()


def test_proof_does_not_depend_on_the_number_of_threads(keys):
    one, three = (SumcheckBackend(threads=count).prove(tiny_program(), TINY_INPUT, keys) for count in (1, 3))
    assert one == three


# ---- an extension that is not there ------------------------------------------------------------------------------------


@pytest.mark.parametrize("module", [None, types.ModuleType("verifiable_ml_sumcheck")], ids=["absent", "of an older interface"])
def test_extension_that_is_missing_is_an_error_that_names_both_ways_out(monkeypatch, module):
    monkeypatch.setitem(sys.modules, "verifiable_ml_sumcheck", module)
    with pytest.raises(BackendUnavailable) as caught:
        native()
    assert "extension" in caught.value.reason
    assert "./circuits/sumcheck" in caught.value.hint
    assert "--backend ezkl" in caught.value.hint


# ---- a request to be bound to ------------------------------------------------------------------------------------------


def test_proof_bound_to_a_request_is_good_for_no_other(keys):
    made = SumcheckBackend()
    proof = made.prove(tiny_program(), TINY_INPUT, keys, context=REQUEST)
    assert made.verify(proof, proof.claim, keys.verification, REQUEST).accepted
    for other in (UNBOUND, REQUEST[::-1]):
        assert not made.verify(proof, proof.claim, keys.verification, other).accepted


@pytest.mark.parametrize("name", ["ezkl", "replay"])
def test_backend_that_binds_to_no_request_says_so(name):
    other = backend(name)
    with pytest.raises(InvalidInput, match="sumcheck"):
        other.prove(tiny_program(), TINY_INPUT, None, context=REQUEST)
    with pytest.raises(InvalidInput, match="sumcheck"):
        other.verify(None, None, None, REQUEST)


def test_hidden_input_is_refused_with_the_backend_that_hides(keys):
    with pytest.raises(UnsupportedModel) as caught:
        SumcheckBackend().setup(tiny_program(), Privacy("hashed"))
    assert "--backend ezkl" in caught.value.hint
