# SPDX-License-Identifier: MIT OR Apache-2.0
"""The smallest ezkl circuit with every part of a claim: y = x W, x 8 bytes, y 3 integers of 16 bits, some negative.

For the reusable verifier's template, and for contract tests that need a true proof in two seconds. Its reference string is
made here, hence UNSAFE: for tests only.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from verifiable_ml.chain import Registration, TensorLayout
from verifiable_ml.commitment import Claim, Dtype, InputCommitment, OutputBytes, Privacy, keccak

LOGROWS = 11
PROGRAM_ID = keccak(b"the tiny circuit is no program of ours")
INPUT = np.array([[100, 219, 141, 8, 195, 186, 216, 44]], np.uint8)
WEIGHTS = np.array([[4, 1, 0], [-3, 2, 5], [1, -5, -2], [0, 3, 1], [5, 0, -4], [-2, 4, 2], [-4, 1, 0], [3, -1, -5]])
OUTPUT = (INPUT.astype(np.int64) @ WEIGHTS).astype(np.int16)
PREFIX = {"committed": 64}
VISIBILITY = {"public": "fixed", "hashed": "hashed", "committed": "polycommit", "private": "private"}


@dataclass(frozen=True)
class TinyProof:
    """A proof as chain/ takes it, and all that a test tampers with."""

    payload: bytes
    public_inputs: tuple[bytes, ...]
    claim: Claim
    pinned: Registration

    def registration(self) -> Registration:
        """The key's side."""
        return self.pinned


def prove(folder: Path, privacy: Privacy, dedicated: bool = False) -> TinyProof:
    """Set up and prove in a folder, some 2 s. Needs the ezkl extra."""
    import ezkl

    at = {name: str(folder / name) for name in ("model", "settings", "circuit", "srs", "vk", "pk", "input", "witness", "proof")}
    onnx.save(_model(), at["model"])
    (folder / "input").write_text(json.dumps({"input_data": [INPUT.astype(float).ravel().tolist()]}))
    ezkl.gen_settings(at["model"], at["settings"], py_run_args=_run_arguments(ezkl.PyRunArgs(), privacy))
    ezkl.compile_circuit(at["model"], at["circuit"], at["settings"])
    ezkl.gen_srs(at["srs"], LOGROWS)
    ezkl.setup(at["circuit"], at["vk"], at["pk"], at["srs"])
    ezkl.gen_witness(at["input"], at["circuit"], at["witness"])
    ezkl.prove(at["witness"], at["circuit"], at["pk"], at["proof"], at["srs"])
    asyncio.run(_evm_files(at, folder, reusable=not dedicated))
    source = (folder / "verifier.sol").read_text() if dedicated else None
    return _tiny_proof(json.loads((folder / "proof").read_text()), _words(folder / "vka"), privacy, source)


def reusable_source(folder: Path) -> str:
    """The Solidity of ezkl's reusable verifier: the same for every circuit, so this one will do."""
    prove(folder, Privacy())
    return (folder / "verifier.sol").read_text()


def _tiny_proof(proof: dict[str, object], words: tuple[int, ...], privacy: Privacy, source: str | None) -> TinyProof:
    payload = bytes.fromhex(str(proof["hex_proof"])[2:])
    instances = [int.from_bytes(bytes.fromhex(value), "little") for value in proof["instances"][0]]  # type: ignore[index]
    hidden = privacy.input == "hashed"
    commitment = {
        "public": InputCommitment.public(Dtype.U8, INPUT.tobytes()),
        "hashed": InputCommitment(1, instances[0].to_bytes(32, "big")),
        "private": InputCommitment(4, bytes(32)),
    }[privacy.input]
    weights = tuple(instances[hidden : hidden + 1]) if privacy.weights == "hashed" else ()
    claim = Claim(PROGRAM_ID, (commitment,), (OutputBytes(Dtype.I16, OUTPUT.tobytes()),), privacy)
    pinned = tiny_registration(privacy, words, payload, weights, source)
    return TinyProof(payload, (INPUT.tobytes(),) if privacy.input == "public" else (), claim, pinned)


def tiny_registration(
    privacy: Privacy,
    words: tuple[int, ...],
    payload: bytes,
    weight_instances: tuple[int, ...],
    dedicated_source: str | None = None,
) -> Registration:
    """What a deployer pins for the tiny circuit. Its inputs are declared to lie in [0, 250]."""
    return Registration(
        program_id=PROGRAM_ID,
        privacy_code=privacy.code,
        vka=words,
        inputs=(TensorLayout(Dtype.U8, INPUT.size, 0, 250),),
        outputs=(TensorLayout(Dtype.I16, OUTPUT.size),),
        proof_bytes=len(payload),
        srs_id=keccak(b"an unsafe reference string"),
        weight_instances=weight_instances,
        proof_prefix=payload[: PREFIX.get(privacy.weights, 0)],
        dedicated_source=dedicated_source,
    )


def _words(file: Path) -> tuple[int, ...]:
    data = file.read_bytes()  # u64 LE count, then words, big endian
    return tuple(int.from_bytes(data[start : start + 32], "big") for start in range(8, len(data), 32))


async def _evm_files(at: dict[str, str], folder: Path, reusable: bool) -> None:
    import ezkl

    await ezkl.create_evm_vka(at["vk"], at["settings"], str(folder / "vka"), at["srs"])
    source = str(folder / "verifier.sol")
    try:
        await ezkl.create_evm_verifier(at["vk"], at["settings"], source, str(folder / "abi"), at["srs"], reusable=reusable)
    except RuntimeError as error:
        # It writes the file first, and then raises because it wants to download a compiler.
        if not Path(source).is_file():
            raise RuntimeError("ezkl wrote no verifier") from error


def _run_arguments(arguments, privacy: Privacy):  # type: ignore[no-untyped-def]
    arguments.input_visibility, arguments.output_visibility = privacy.input, "public"
    arguments.param_visibility = VISIBILITY[privacy.weights]
    arguments.input_scale = arguments.param_scale = 0
    arguments.num_inner_cols, arguments.logrows, arguments.lookup_range = 2, LOGROWS, (-2, 2)
    arguments.decomp_base, arguments.decomp_legs = 256, 2  # one column of a range check, so that the keys stay small
    return arguments


def _model() -> onnx.ModelProto:
    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, size]) for name, size in (("x", 8), ("y", 3)))
    weights = numpy_helper.from_array(WEIGHTS.astype(np.float32), "w")
    graph = helper.make_graph([helper.make_node("MatMul", ["x", "w"], ["y"])], "tiny", [x], [y], [weights])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)])
    model.ir_version = 9
    return model
