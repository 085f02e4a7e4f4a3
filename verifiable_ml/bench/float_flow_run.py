# SPDX-License-Identifier: MIT OR Apache-2.0
"""ezkl's own way from a float model to a proof, in a process of its own. It imports nothing of ours, so its memory is ezkl's.

`python float_flow_run.py FOLDER LOGROWS` reads model.onnx and input.json (`input_data`, floats) there, and writes
measured.json: seconds by step, rows, bytes. Input and output are public, weights fixed in the circuit; scales are ezkl's default,
lookups as its calibration finds them.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

MEASURED = "measured.json"


def flow(logrows: int) -> dict[str, Any]:
    """Each step of ezkl's command line, in the current folder, and what it took."""
    ezkl: Any = importlib.import_module("ezkl")
    arguments = ezkl.PyRunArgs()
    arguments.logrows = logrows
    seconds = dict[str, float]()

    def step(name: str, call: Callable[..., Any], *given: Any, **named: Any) -> Any:
        start = time.perf_counter()
        answer = call(*given, **named)
        seconds[name] = time.perf_counter() - start
        return answer

    step("settings", ezkl.gen_settings, "model.onnx", "settings", arguments)
    calibration = {"lookup_safety_margin": 1, "scales": [arguments.input_scale], "max_logrows": logrows}
    step("calibration", ezkl.calibrate_settings, "input.json", "model.onnx", "settings", "resources", **calibration)
    step("compilation", ezkl.compile_circuit, "model.onnx", "circuit", "settings")
    settings = json.loads(Path("settings").read_text())
    step("reference string", ezkl.gen_srs, "srs", settings["run_args"]["logrows"])
    step("set-up", ezkl.setup, "circuit", "vk", "pk", "srs")
    step("witness", ezkl.gen_witness, "input.json", "circuit", "witness")
    step("proof", ezkl.prove, "witness", "circuit", "pk", "proof", "srs")
    accepted = step("verification", ezkl.verify, "proof", "settings", "vk", "srs")
    proof = json.loads(Path("proof").read_text())
    return {
        "seconds": seconds,
        "accepted": accepted,
        "rows": settings["num_rows"],
        "logrows": settings["run_args"]["logrows"],
        "key_bytes": Path("pk").stat().st_size,
        "proof_bytes": len(proof["proof"]),
        "outputs": [float(value) for value in proof["pretty_public_inputs"]["rescaled_outputs"][0]],
        "peak_bytes": peak(),
    }


def peak() -> int:
    """Resident bytes of this process at their most."""
    status = Path("/proc/self/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


if __name__ == "__main__":
    os.chdir(sys.argv[1])
    found = flow(int(sys.argv[2]))
    Path(MEASURED).write_text(json.dumps(found))
