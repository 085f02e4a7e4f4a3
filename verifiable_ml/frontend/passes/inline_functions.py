# SPDX-License-Identifier: MIT OR Apache-2.0
"""Put the bodies of the model's own functions in the place of their calls."""

from __future__ import annotations

import onnx
import onnx.inliner

from verifiable_ml.frontend.graph import Rewrite

NAME = "inline_functions"


def apply(model: onnx.ModelProto) -> tuple[onnx.ModelProto, list[Rewrite]]:
    """A model without local functions."""
    if not model.functions:
        return model, []
    log = [Rewrite(NAME, f.name, f"function of {len(f.node)} nodes", "its nodes") for f in model.functions]
    return onnx.inliner.inline_local_functions(model), log
