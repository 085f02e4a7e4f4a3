# SPDX-License-Identifier: MIT OR Apache-2.0
"""The process that calls ezkl. It imports nothing of ours, so that it starts in no time: standard library and ezkl only.

One JSON request on standard input: {"job", "folder", ...}; paths are names within the folder. JSON lines on the file
descriptor named in argv: {"step": text} as it goes, then one {"answer": ...} or {"failure": text}. Panics derive from
BaseException and say their cause on standard error alone, which is why whoever started this keeps that.
"""

from __future__ import annotations

import asyncio
import ctypes
import errno
import importlib
import json
import os
import re
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

ezkl: Any = importlib.import_module("ezkl")

PROOF_LENGTH = re.compile(r"eq\((0x[0-9a-f]+), proof\.length\)")
"""Where the dedicated verifier's source says how long a proof is."""

Step = Callable[[str], None]


def settings(request: dict[str, Any], step: Step) -> Any:
    """What the circuit needs: rows, tables, constants. Needs `model`."""
    arguments = ezkl.PyRunArgs()
    for name, value in request["arguments"].items():
        setattr(arguments, name, tuple(value) if name == "lookup_range" else value)
    step("counting rows")
    ezkl.gen_settings("model", "settings", arguments)
    found = _in_order(json.loads(Path("settings").read_text()))
    Path("settings").write_text(json.dumps(found))
    return found


def _in_order(found: dict[str, Any]) -> dict[str, Any]:
    """Sets that ezkl writes in the order of a random hash, sorted: the order becomes that of columns, hence the key's bytes."""
    for name in ("required_lookups", "required_range_checks"):
        found[name] = sorted(found[name], key=json.dumps)
    einsums = found.get("einsum_params") or {}
    if "equations" in einsums:
        einsums["equations"] = sorted(([text, dict(sorted(axes.items()))] for text, axes in einsums["equations"]), key=json.dumps)
    return {**found, "timestamp": 0}


def setup(request: dict[str, Any], step: Step) -> Any:
    """From `model`, `settings` and a reference string: `circuit`, `vk`, `pk`, and what a contract pins."""
    step("compiling the circuit")
    ezkl.compile_circuit("model", "circuit", "settings")
    step("making the keys")
    ezkl.setup("circuit", "vk", "pk", request["srs"])
    step("writing the contract's key")
    source = asyncio.run(_contract(request["srs"]))
    weights = _witness("circuit", request["input_data"], "vk", request["srs"]).get("processed_params") or {}
    found = PROOF_LENGTH.search(source)
    if found is None:
        raise RuntimeError("ezkl's verifier does not say how long a proof is")
    Path("verifier.sol").write_text(source)
    commitments = [point for points in weights.get("polycommit") or [] for point in points]
    return {"proof_bytes": int(found[1], 16), "hashes": weights.get("poseidon_hash") or [], "commitments": commitments}


async def _contract(srs: str) -> str:
    await ezkl.create_evm_vka("vk", "settings", "vka", srs)
    try:
        await ezkl.create_evm_verifier("vk", "settings", "verifier.sol", "verifier.abi", srs, reusable=False)
    except RuntimeError:
        if not Path("verifier.sol").is_file():  # it writes the file, and then raises as it wants to download a compiler
            raise
    return Path("verifier.sol").read_text()


def _witness(circuit: str, input_data: list[list[int]], *commits_with: str) -> dict[str, Any]:
    Path("input").write_text(json.dumps({"input_data": input_data}))
    ezkl.gen_witness("input", circuit, "witness", *commits_with)
    made: dict[str, Any] = json.loads(Path("witness").read_text())
    return made


def witness(request: dict[str, Any], step: Step) -> Any:
    """The values of the circuit on one input; its outputs and digests."""
    step("running the circuit")
    return _witness(request["circuit"], request["input_data"])


def witnesses(request: dict[str, Any], step: Step) -> Any:
    """The outputs of the circuit of `model` on many inputs."""
    step("running the circuit")
    ezkl.compile_circuit("model", "circuit", "settings")
    return [_witness("circuit", rows)["outputs"] for rows in request["inputs"]]


def prove(request: dict[str, Any], step: Step) -> Any:
    """A proof about `witness`, in hex, and the public values."""
    step("proving")
    ezkl.prove("witness", request["circuit"], request["pk"], "proof", request["srs"])
    proof = json.loads(Path("proof").read_text())
    return {"proof": bytes(proof["proof"]).hex(), "instances": proof["instances"]}


def verify(request: dict[str, Any], step: Step) -> Any:
    """Why `proof` does not hold under `vk`, `settings` and `srs`, all of which the caller wrote; "" if it does."""
    step("verifying")
    try:
        return "" if ezkl.verify("proof", "settings", "vk", "srs", True) else "it does not hold"
    except (KeyboardInterrupt, SystemExit, MemoryError):
        raise
    except BaseException as error:  # a false proof raises, and some bytes panic
        return f"{type(error).__name__}: {error}"


def digests(request: dict[str, Any], step: Step) -> Any:
    """The Poseidon digest of each list of integers, as field elements in hex, little endian."""
    return [ezkl.poseidon_hash([ezkl.float_to_felt(value, 0) for value in values])[0] for values in request["input_data"]]


def srs(request: dict[str, Any], step: Step) -> Any:
    """A reference string of 2^logrows points whose secret this very process knew for a moment. UNSAFE."""
    step("making an UNSAFE reference string")
    ezkl.gen_srs("srs", request["logrows"])


JOBS = {job.__name__: job for job in (settings, setup, witness, witnesses, prove, verify, digests, srs)}


PR_SET_PDEATHSIG = 1


def _die_with_parent() -> None:
    """On Linux: whatever ends our parent ends us, and no prover of 10 GB lives on. Elsewhere nothing."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def main() -> None:
    """Do one job."""
    _die_with_parent()
    channel = os.fdopen(int(sys.argv[1]), "w", buffering=1)
    request = json.load(sys.stdin)

    def say(**line: Any) -> None:
        channel.write(json.dumps(line) + "\n")

    os.chdir(request["folder"])
    try:
        answer = JOBS[request["job"]](request, lambda text: say(step=text))
    except BaseException as error:
        full = getattr(error, "errno", None) in (errno.ENOSPC, errno.EFBIG, errno.EDQUOT)
        say(failure=f"{type(error).__name__}: {error}", full=full)
        sys.exit(1)
    say(answer=answer)


if __name__ == "__main__":
    main()
