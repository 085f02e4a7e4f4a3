# SPDX-License-Identifier: MIT OR Apache-2.0
"""Solidity at run time: for ezkl's dedicated verifiers, made for one key, and for a bench; all else is a committed artifact."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from verifiable_ml.chain.artifacts import Artifact
from verifiable_ml.errors import BackendUnavailable, MalformedEvidence, WorkerFailed

CHECKOUT = Path(__file__).resolve().parents[2]
OPTIMISED = {"enabled": True, "runs": 200}
OUTPUTS = ["abi", "evm.bytecode.object", "evm.deployedBytecode.object", "evm.deployedBytecode.immutableReferences"]
TIMEOUT = 300.0
"""Seconds; the widest verifier seen takes 12."""


def compile_source(source: str, contract: str) -> Artifact:
    """Compile one self-contained file, as foundry.toml does (cancun, optimiser on, no metadata).

    Raises BackendUnavailable without a compiler, MalformedEvidence if the source does not compile, WorkerFailed if the
    compiler itself dies.
    """
    compiled = compile_sources({"source.sol": source}, "source.sol")
    if contract not in compiled:
        raise _malformed(f"there is no contract {contract} in it")
    return compiled[contract]


def compile_sources(sources: Mapping[str, str], file: str, optimiser: Mapping[str, Any] = OPTIMISED) -> dict[str, Artifact]:
    """The contracts of one of these files, which import each other by their names. Raises as `compile_source`."""
    answer = _run(_compiler(), _request(sources, file, optimiser))
    faults = [entry for entry in answer.get("errors", []) if entry.get("severity") == "error"]
    if faults:
        raise _malformed(faults[0].get("formattedMessage", "").strip())
    found = answer.get("contracts", {}).get(file, {})
    return {name: Artifact.from_compiler(name, compiled) for name, compiled in found.items()}


def _malformed(reason: str) -> MalformedEvidence:
    return MalformedEvidence(thing="a verifier's Solidity source", reason=reason, hint="make it anew from its key")


def _request(sources: Mapping[str, str], file: str, optimiser: Mapping[str, Any]) -> str:
    settings = {
        "optimizer": optimiser,
        "evmVersion": "cancun",
        "metadata": {"bytecodeHash": "none", "appendCBOR": False},
        "outputSelection": {file: {"*": OUTPUTS}},
    }
    contents = {name: {"content": text} for name, text in sources.items()}
    return json.dumps({"language": "Solidity", "sources": contents, "settings": settings})


def _compiler() -> list[str]:
    """VML_SOLC (native, or a script that speaks --standard-json), the checkout's npm solc, solc on the PATH: the first there."""
    named = os.environ.get("VML_SOLC")
    if named and shutil.which(named):
        return [named]
    script = CHECKOUT / "challenge" / "tool" / "solc.js"
    if not named and script.is_file() and (CHECKOUT / "node_modules" / "solc").is_dir() and shutil.which("node"):
        return ["node", str(script)]
    if not named and shutil.which("solc"):
        return ["solc"]
    raise BackendUnavailable(
        thing="a Solidity compiler",
        reason=f"VML_SOLC names {named}, which does not run" if named else "neither npm's solc nor a native one was found",
        hint="in a checkout: make npm; elsewhere install solc 0.8.24 or later, and set VML_SOLC to it",
    )


def _run(command: list[str], request: str) -> dict[str, Any]:
    try:
        done = subprocess.run(
            [*command, "--standard-json"], input=request, capture_output=True, text=True, timeout=TIMEOUT, check=True
        )
        answer = json.loads(done.stdout)
    except (OSError, subprocess.SubprocessError, ValueError) as error:
        raise WorkerFailed(
            thing=f"the Solidity compiler `{Path(command[-1]).name}`",
            reason=f"it gave no answer ({type(error).__name__})",
            hint="run it by hand with --version; `make npm` installs the one we test with",
        ) from error
    return answer if isinstance(answer, dict) else {}
