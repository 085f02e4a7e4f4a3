# SPDX-License-Identifier: MIT OR Apache-2.0
"""The structured reference string: one file a size in the cache, made here (UNSAFE) or given by the user.

A file is `u32 LE k | 2^k G1 | 2^k G1 in Lagrange form | G2 | tau G2`; a G1 point is x, y, 32 bytes each, little endian in
Montgomery form (seen in ezkl 23.0.5 and read in halo2's ParamsKZG). Who made it here knew tau, and could prove anything.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from verifiable_ml.commitment import keccak
from verifiable_ml.errors import InvalidInput, VerifiableMlError
from verifiable_ml.proving.base import Progress, silent
from verifiable_ml.proving.ezkl import cache
from verifiable_ml.proving.ezkl.process import Worker

MODULUS = 21888242871839275222246405745257275088696311157297823662689037894645226208583
"""Of BN254's base field."""
MONTGOMERY = pow(2, -256, MODULUS)
POINT, G2_PAIR = 64, 256
LEAST, GREATEST = 6, 26
"""Sizes, log2 of points."""
G2_GENERATOR = (
    10857046999023057135944570762232829481370756359578518086990519993285655852781,
    11559732032986387107991004021392285783925812861821192530917403151452391805634,
    8495653923123431417604973247489272438418190587263600148770280649306958101930,
    4082367875863433681332203403145435568316851327593401208105741076214120093531,
)
"""Of BN254's second group, as EIP-197 has it: x and y, each c0 + c1 i."""
UNSAFE = "UNSAFE reference string, made on one machine: whoever made it can forge proofs; for tests and demos only"
GIVEN = "reference string given by the user: sound if one contributor to its ceremony was honest"


@dataclass(frozen=True)
class Reference:
    """A checked file. id: keccak-256 of its bytes. label: UNSAFE or GIVEN, shown wherever a proof under it is."""

    path: Path
    logrows: int
    id: bytes
    label: str


def reference(logrows: int, given: Path | None, worker: Worker, progress: Progress = silent) -> Reference:
    """The string of this size: the user's if given, else the cache's, else a new UNSAFE one.

    Raises InvalidInput on a file that is none of this size, CorruptedArtifact on a cache entry that is not what was put there.
    """
    if given is not None:
        return Reference(given, logrows, _checked_id(given, logrows, "give a string of this size: --srs or VML_SRS"), GIVEN)
    folder = cache.root() / "srs" / f"unsafe-{logrows}"
    if not folder.exists():
        worker.run("srs", progress, logrows=logrows)
        facts = {"label": UNSAFE, "id": keccak((worker.folder / "srs").read_bytes()).hex()}
        cache.publish({"srs": worker.folder / "srs"}, facts, folder)
    progress("checking the reference string", None)
    manifest = cache.load(folder, ("srs",))
    return Reference(folder / "srs", logrows, bytes.fromhex(manifest["id"]), UNSAFE)


def verifier_part(path: Path) -> bytes:
    """What a verifier needs, as a string of size 1: 516 bytes instead of megabytes. It reads the first point and G2, tau G2."""
    with path.open("rb") as file:
        file.seek(4)
        points = file.read(2 * POINT)
        file.seek(-G2_PAIR, os.SEEK_END)
        return (1).to_bytes(4, "little") + points + points + file.read(G2_PAIR)


def is_verifier_part(data: bytes) -> bool:
    """Whether 516 bytes are what `verifier_part` may give: generators, and a tau G2 that is not zero.

    A zero in one of them would make every pairing equal, and every proof hold.
    """
    values = [int.from_bytes(data[at : at + 32], "little") for at in range(4, len(data), 32)]
    if len(values) != 16 or data[:4] != (1).to_bytes(4, "little") or max(values) >= MODULUS or not any(values[12:]):
        return False
    plain = [value * MONTGOMERY % MODULUS for value in values]
    return plain[:2] == [1, 2] and tuple(plain[8:12]) == G2_GENERATOR and values[:4] == values[4:8]


def size(path: Path) -> int:
    """log2 of a given file's points. Raises InvalidInput."""
    try:
        with path.open("rb") as file:
            return int.from_bytes(file.read(4), "little")
    except OSError as error:
        raise _wrong(path, str(error.strerror), "give the path of a halo2 KZG reference string") from error


def _checked_id(path: Path, logrows: int, hint: str) -> bytes:
    found = size(path)
    if found != logrows:
        raise _wrong(path, f"it holds 2^{found} points, and 2^{logrows} are asked for", hint)
    wanted = 4 + 2 * (POINT << logrows) + G2_PAIR
    if path.stat().st_size != wanted:
        raise _wrong(path, f"it has {path.stat().st_size} bytes, a string of 2^{logrows} points has {wanted}", hint)
    data = path.read_bytes()
    if _point(data, 0) != (1, 2):
        raise _wrong(path, "its first point is not BN254's generator", hint)
    step = max(1, (1 << logrows) // 1024)
    for place in {*range(0, 2 << logrows, step), (1 << logrows) - 1}:
        x, y = _point(data, place)
        if (y * y - x * x * x - 3) % MODULUS:
            raise _wrong(path, f"its point {place} is not on the curve", hint)
    if not is_verifier_part(verifier_part(path)):
        raise _wrong(path, "its points of the second group are not those of a KZG string", hint)
    return keccak(data)


def _point(data: bytes, place: int) -> tuple[int, int]:
    start = 4 + place * POINT
    x, y = (int.from_bytes(data[start + at : start + at + 32], "little") for at in (0, 32))
    return (-1, -1) if max(x, y) >= MODULUS else (x * MONTGOMERY % MODULUS, y * MONTGOMERY % MODULUS)


def _wrong(path: Path, reason: str, hint: str) -> VerifiableMlError:
    return InvalidInput(thing=f"reference string `{path}`", reason=reason, hint=hint)
