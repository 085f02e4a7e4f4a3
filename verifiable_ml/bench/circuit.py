# SPDX-License-Identifier: MIT OR Apache-2.0
"""The ezkl circuits of the zoo, circuits/ezkl/NAME.json: run arguments and rows, so that a change of either is seen in review.

`python -m verifiable_ml.bench.circuit circuits/ezkl` writes them all.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from verifiable_ml import api
from verifiable_ml.errors import UnsupportedModel
from verifiable_ml.frontend import zoo
from verifiable_ml.proving.ezkl import cache, circuit
from verifiable_ml.proving.ezkl.process import Worker


def circuit_of(name: str) -> dict[str, Any] | None:
    """The circuit of a zoo model with nothing hidden; None if ezkl cannot prove it exactly."""
    model = zoo.model(name)
    program = api.compile(model.path, model.calibration())
    try:
        with cache.workspace() as folder:
            designed = circuit.design(program, api.privacy(()), Worker(folder))
    except UnsupportedModel:
        return None
    return {"program": program.id.hex(), "rows": designed.rows, "run_arguments": designed.arguments}


def text(made: dict[str, Any]) -> str:
    """As committed."""
    return json.dumps(made, indent=1) + "\n"


def main(folder: Path) -> None:
    """Write one file a model."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in zoo.names():
        made = circuit_of(name)
        if made is not None:
            (folder / f"{name}.json").write_text(text(made))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
