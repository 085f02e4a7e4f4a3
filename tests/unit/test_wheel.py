# SPDX-License-Identifier: MIT OR Apache-2.0
"""The wheel: what is in it, and that it works where no checkout is."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from verifiable_ml.errors import BackendUnavailable

ROOT = Path(__file__).resolve().parents[2]
UV = Path(sys.executable).with_name("uv")
SHIPPED = "README.md", "model.json", "model.onnx", "samples.npz"
"""Files of a model's folder that the wheel holds; train.py stays in the checkout."""


def _done(*words: object, **rest: object) -> subprocess.CompletedProcess[str]:
    done = subprocess.run([*map(str, words)], capture_output=True, text=True, **rest)
    assert done.returncode == 0, done.stdout + done.stderr
    return done


@dataclass(frozen=True)
class Installed:
    """An environment that holds the wheel and what it asks for, and an empty folder to work in."""

    folder: Path

    def vml(self, *words: str) -> subprocess.CompletedProcess[str]:
        return self.run("vml", *words)

    def run(self, program: str, *words: str) -> subprocess.CompletedProcess[str]:
        """Nothing of the environment that the tests run in, and a cache of its own."""
        kept = {name: value for name, value in os.environ.items() if name in ("PATH", "HOME", "LANG", "TMPDIR")}
        environment = {**kept, "VML_CACHE_DIR": str(self.folder / "cache")}
        command = [str(self.folder / "venv" / "bin" / program), *words]
        return subprocess.run(command, cwd=self.folder / "empty", env=environment, capture_output=True, text=True)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    _done(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, ROOT)
    (path,) = folder.glob("*.whl")
    return path


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """Installs the wheel with some extras ("" or "[ezkl]") at the pinned versions."""

    def of(extras: str) -> Installed:
        folder = tmp_path_factory.mktemp("installed")
        (folder / "empty").mkdir()
        _done(sys.executable, "-m", "venv", *(["--without-pip"] if UV.exists() else []), folder / "venv")
        python = folder / "venv" / "bin" / "python"
        installer = (UV, "pip", "install", "--python", python) if UV.exists() else (python, "-m", "pip", "install")
        _done(*installer, "--constraint", ROOT / "constraints.txt", f"{wheel}{extras}")
        return Installed(folder)

    return of


def test_wheel_holds_what_the_package_reads_and_nothing_else(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    code = {str(path.relative_to(ROOT)) for path in (ROOT / "verifiable_ml").rglob("*.py")}
    artifacts = {f"verifiable_ml/_data/artifacts/{path.name}" for path in (ROOT / "challenge" / "artifacts").glob("*.json")}
    folders = {path.parent.name for path in (ROOT / "models").glob("*/model.json")}
    models = {f"verifiable_ml/_data/models/{folder}/{name}" for folder in folders for name in SHIPPED}
    (about,) = {name.partition("/")[0] for name in names if ".dist-info/" in name}
    licences = {f"{about}/licenses/LICENSE-{kind}" for kind in ("MIT", "APACHE")}
    record = {f"{about}/{name}" for name in ("METADATA", "WHEEL", "RECORD", "entry_points.txt")}
    others = {"verifiable_ml/py.typed", "verifiable_ml/_data/models/datasets.py"}
    assert len(artifacts) >= 3
    assert len(folders) >= 5
    assert names == code | artifacts | models | licences | record | others


def test_wheel_with_ezkl_tells_the_whole_story_outside_the_checkout(installed):
    here = installed("[ezkl]")
    assert here.vml("--version").stdout.startswith("vml ")
    doctor = json.loads(here.vml("doctor", "--json").stdout)
    (itself,) = [finding for finding in doctor["findings"] if finding["thing"] == "verifiable-ml"]
    assert str(here.folder) in itself["detail"], "it ran from somewhere else"
    assert doctor["healthy"]
    demo = here.vml("demo", "--json")
    assert demo.returncode == 0, demo.stdout + demo.stderr
    told = json.loads(demo.stdout)
    assert (told["off_chain"]["accepted"], told["on_chain"]["accepted"]) == (True, True)
    assert (told["lie_off_chain"]["accepted"], told["lie_on_chain"]["accepted"]) == (False, False)
    assert told["lie_to_contract"]
    assert told["paid_wei"] == 10**18
    assert told["answer"] == told["label"]
    assert told["backend"] == "ezkl", "the native prover is not in the wheel"
    assert list((here.folder / "empty").iterdir()) == []


def test_wheel_without_extras_runs_programs_and_says_how_to_get_the_prover(installed):
    here = installed("")
    place = here.run("python", "-c", "import verifiable_ml; print(verifiable_ml.__file__)")
    assert place.stdout.startswith(str(here.folder)), place.stderr
    ran = here.vml("run", "zoo:digits-mlp", "--input", "digits-mlp:3", "--json")
    assert json.loads(ran.stdout)["decisions"] == {"logits": 6}
    refused = here.vml("prove", "zoo:digits-mlp", "--input", "digits-mlp:3", "--json")
    assert refused.returncode == BackendUnavailable.exit_code
    said = json.loads(refused.stdout)
    assert said["error"] == "BackendUnavailable"
    assert "./circuits/sumcheck" in said["hint"] and "--backend ezkl" in said["hint"]
    refused = here.vml("prove", "zoo:digits-mlp", "--input", "digits-mlp:3", "--backend", "ezkl", "--json")
    assert json.loads(refused.stdout)["hint"] == "pip install ezkl==23.0.5"
    assert list((here.folder / "empty").iterdir()) == []
