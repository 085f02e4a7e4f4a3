# SPDX-License-Identifier: MIT OR Apache-2.0
"""Writes challenge/artifacts: our contracts out of Foundry's out/, and ezkl's reusable verifier, compiled from its template.

    make artifacts                                   # builds, then runs this
    python challenge/tool/build_artifacts.py FOLDER  # elsewhere, to compare

The reusable verifier does not depend on the circuit (byte-identical over every circuit compared), so the smallest circuit
makes it. Its template says SPDX MIT.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from verifiable_ml.chain.artifacts import CHECKOUT, Artifact
from verifiable_ml.chain.solc import compile_source

OURS = ("ClaimVerifier", "VerifiedPayout")
REUSABLE = "Halo2VerifierReusable"
LOGROWS = 8


def main(folder: Path) -> None:
    """Write every artifact into the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for artifact in [*map(_from_foundry, OURS), compile_source(reusable_source(), REUSABLE)]:
        (folder / f"{artifact.name}.json").write_text(json.dumps(artifact.to_json(), indent=1, sort_keys=True) + "\n")


def _from_foundry(name: str) -> Artifact:
    out = CHECKOUT.parent / "out" / f"{name}.sol" / f"{name}.json"
    return Artifact.from_compiler(name, json.loads(out.read_text()))


def reusable_source() -> str:
    """The template, as ezkl 23 writes it for the smallest circuit."""
    import ezkl

    with tempfile.TemporaryDirectory() as name:
        at = Path(name)
        model, settings, circuit, srs, vk, pk = (str(at / part) for part in ("m.onnx", "s.json", "c", "srs", "vk", "pk"))
        onnx.save(_smallest_model(), model)
        ezkl.gen_settings(model, settings, py_run_args=_run_arguments(ezkl.PyRunArgs()))
        ezkl.compile_circuit(model, circuit, settings)
        ezkl.gen_srs(srs, LOGROWS)
        ezkl.setup(circuit, vk, pk, srs)
        asyncio.run(_write_verifier(vk, settings, at, srs))
        return (at / "verifier.sol").read_text()


async def _write_verifier(vk: str, settings: str, at: Path, srs: str) -> None:
    # It writes the file first, and then raises because it wants to download a compiler.
    import ezkl

    try:
        await ezkl.create_evm_verifier(vk, settings, str(at / "verifier.sol"), str(at / "abi.json"), srs, reusable=True)
    except RuntimeError as error:
        if not (at / "verifier.sol").is_file():
            raise RuntimeError("ezkl wrote no verifier") from error


def _run_arguments(arguments):  # type: ignore[no-untyped-def]
    arguments.input_visibility = arguments.output_visibility = "public"
    arguments.param_visibility = "fixed"
    arguments.input_scale = arguments.param_scale = 0
    arguments.num_inner_cols, arguments.logrows, arguments.lookup_range = 2, LOGROWS, (-2, 2)
    arguments.decomp_base = 2
    return arguments


def _smallest_model() -> onnx.ModelProto:
    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 1]) for name in "xy")
    two = numpy_helper.from_array(np.full((1, 1), 2, np.float32), "w")
    graph = helper.make_graph([helper.make_node("MatMul", ["x", "w"], ["y"])], "double", [x], [y], [two])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)])
    model.ir_version = 9
    return model


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else CHECKOUT)
