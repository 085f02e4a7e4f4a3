# SPDX-License-Identifier: MIT OR Apache-2.0
"""ezkl's own flow from a float model, as the bench runs it."""

from __future__ import annotations

import numpy as np
import pytest

from verifiable_ml.bench.float_flow import costs_of
from verifiable_ml.frontend import zoo


@pytest.mark.slow
def test_flow_proves_what_the_float_model_says():
    pytest.importorskip("ezkl")
    model = zoo.model("digits-mlp")
    found = costs_of(model)
    assert found["accepted"] and found["proof_bytes"] > 1000 and found["peak_bytes"] > 1e8
    assert found["seconds"]["proof"] > 0.5
    label = model.test(1)[1][0]
    assert int(np.argmax(found["outputs"])) == label
