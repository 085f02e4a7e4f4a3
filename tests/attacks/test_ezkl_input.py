# SPDX-License-Identifier: MIT OR Apache-2.0
"""Hidden inputs outside of their interval: no rule outside of the circuit sees them, so the circuit has to."""

from __future__ import annotations

import contextlib
from dataclasses import replace

import numpy as np
import pytest

from tests.conftest import HASHED
from verifiable_ml.errors import WorkerFailed
from verifiable_ml.execute import public_claim, run_reference
from verifiable_ml.proving import Proof
from verifiable_ml.proving.ezkl import cache, prove, srs
from verifiable_ml.proving.ezkl.process import Worker

SALT = [0] * 8


def verdict_on(h, values):
    """The verdict on these inputs with the outputs of the nearest legal ones, proven by the honest circuit."""
    path = str(h.keys.proving / "circuit")
    with cache.workspace() as folder:
        worker = Worker(folder)
        witness = worker.run("witness", circuit=path, input_data=[[*values, *SALT]])
        reference = srs.reference(h.key.logrows, None, worker)
        answer = worker.run("prove", circuit=path, pk=str(h.keys.proving / "pk"), srs=str(reference.path))
    claim = public_claim(run_reference(h.program, {"x": np.clip([values], 0, 63)}))
    told = replace(h.claim, inputs=prove.poseidon(witness["processed_inputs"]["poseidon_hash"]), outputs=claim.outputs)
    return h.backend.verify(Proof("ezkl", told, bytes.fromhex(answer["proof"])), told, h.key)


def test_legal_input_is_accepted_so(honest):
    assert verdict_on(honest(HASHED), [1, 60, 0, 63]).accepted


@pytest.mark.parametrize("value", [-1, 64, 100])
def test_commitment_to_an_input_outside_of_its_interval_is_never_accepted(honest, value):
    """No legal input would open such a claim, whatever the circuit saturates the input to."""
    with contextlib.suppress(WorkerFailed):
        assert not verdict_on(honest(HASHED), [1, 60, 3, value]).accepted
