# SPDX-License-Identifier: MIT OR Apache-2.0
"""Writes challenge/artifacts: our contracts out of Foundry's out/, and ezkl's reusable verifier, compiled from its template.

    make artifacts                                   # builds, then runs this
    python challenge/tool/build_artifacts.py FOLDER  # elsewhere, to compare

The reusable verifier does not depend on the circuit (byte-identical over every circuit compared). Its template says SPDX MIT.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

from tiny_circuit import reusable_source

from verifiable_ml.chain.artifacts import CHECKOUT, Artifact
from verifiable_ml.chain.solc import compile_source
from verifiable_ml.program import OPERATORS

STEPS = ("Steps", *(f"{name.capitalize()}Step" for name in OPERATORS))
GAMES = ("ProgramRegistry", "OptimisticClaims", "DisputeGame")
SETTLE = ("Settlement", "EzklWay", "SumcheckWay", "DisputeWay", "ExecutionWay", "Erc8274Verifier")
OURS = (
    "ClaimVerifier",
    "VerifiedPayout",
    "OnChainExecution",
    "SumcheckVerifier",
    "SumcheckClaimVerifier",
    "SumcheckBatchVerifier",
    *STEPS,
    *GAMES,
    *SETTLE,
)
REUSABLE = "Halo2VerifierReusable"


def main(folder: Path) -> None:
    """Write every artifact into the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for artifact in [*map(_from_foundry, OURS), _reusable()]:
        (folder / f"{artifact.name}.json").write_text(json.dumps(artifact.to_json(), indent=1, sort_keys=True) + "\n")


def _from_foundry(name: str) -> Artifact:
    out = CHECKOUT.parent / "out" / f"{name}.sol" / f"{name}.json"
    return Artifact.from_compiler(name, json.loads(out.read_text()))


def _reusable() -> Artifact:
    with tempfile.TemporaryDirectory() as folder:
        return compile_source(reusable_source(Path(folder)), REUSABLE)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else CHECKOUT)
