# SPDX-License-Identifier: MIT OR Apache-2.0
"""What every train.py of the zoo shares: fixed seeds, one training loop, one export, one layout of the files.

In: a torch module over raw integers and a Split. Out, in the model's folder: model.onnx, samples.npz, model.json.
The committed model.onnx is the truth: retraining must reach the accuracy in model.json, not the same bytes.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
import torch
from datasets import Split
from torch import nn

CALIBRATION_ROWS = 256
KEPT_METADATA = ("pkg.torch.onnx.name_scopes", "pkg.torch.onnx.class_hierarchy")  # the rest holds paths of the machine


@dataclass(frozen=True)
class Card:
    """What model.json says beside the measured figures. `low` and `high` bound the raw integers of the input."""

    name: str
    title: str
    dataset: str
    task: str
    classes: tuple[str, ...]
    input_name: str
    low: int
    high: int
    licence: str


def deterministic(seed: int) -> None:
    """One thread, seeded, deterministic kernels."""
    torch.manual_seed(seed)
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)


@dataclass(frozen=True)
class Training:
    """AdamW with a one-cycle rate on cross-entropy. shift > 0 moves each batch of images by up to that many pixels."""

    epochs: int
    batch: int
    rate: float
    decay: float
    shift: int = 0


def main(
    card: Card,
    load_data: Callable[[], Split],
    build: Callable[[Split], nn.Module],
    training: Training,
    *,
    test_rows: int | None = None,
) -> None:
    """The command line of a train.py: train, export, measure. test_rows: how many of the test rows go into samples.npz."""
    parser = argparse.ArgumentParser(description=f"Train {card.name}: {card.title}.")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--epochs", type=int, default=training.epochs)
    parser.add_argument("--out", type=Path, default=Path(__file__).resolve().parent / card.name, help="folder to write to")
    options = parser.parse_args()
    deterministic(options.seed)
    split = load_data()
    model = build(split)
    fit(model, split, replace(training, epochs=options.epochs))
    publish(model, split, card, options.out, test_rows=test_rows)


def fit(model: nn.Module, split: Split, training: Training) -> None:
    """Train in place on the training rows of the split."""
    x, y = torch.from_numpy(split.train_x.astype(np.float32)), torch.from_numpy(split.train_y)
    steps = training.epochs * -(-len(x) // training.batch)
    optimiser = torch.optim.AdamW(model.parameters(), lr=training.rate, weight_decay=training.decay)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, max_lr=training.rate, total_steps=steps)
    model.train()
    for _ in range(training.epochs):
        for rows in torch.randperm(len(x)).split(training.batch):
            optimiser.zero_grad()
            nn.functional.cross_entropy(model(_shifted(x[rows], training.shift)), y[rows]).backward()
            optimiser.step()
            schedule.step()
    model.eval()


def _shifted(x: torch.Tensor, most: int) -> torch.Tensor:
    if most == 0:
        return x
    height, width = x.shape[-2:]
    down, right = (int(v) for v in torch.randint(0, 2 * most + 1, (2,)))
    return nn.functional.pad(x, (most,) * 4)[..., down : down + height, right : right + width]


def publish(model: nn.Module, split: Split, card: Card, folder: Path, *, test_rows: int | None = None) -> float:
    """Write model.onnx, samples.npz and model.json; returns the accuracy of model.onnx on the whole test split."""
    path = folder / "model.onnx"
    _export(model, split.train_x[:2], card.input_name, path)
    accuracy = float(np.mean(_decisions(path, split.test_x) == split.test_y))
    _save_samples(split, folder / "samples.npz", test_rows)
    record = {
        "name": card.name,
        "title": card.title,
        "dataset": card.dataset,
        "task": card.task,
        "licence": card.licence,
        "classes": list(card.classes),
        "input": {"name": card.input_name, "shape": list(split.train_x.shape[1:]), "low": card.low, "high": card.high},
        "parameters": sum(p.numel() for p in model.parameters()),
        "float_accuracy": round(accuracy, 6),
        "test_rows": len(split.test_y),
        "samples_test_rows": test_rows or len(split.test_y),
    }
    (folder / "model.json").write_text(json.dumps(record, indent=2, sort_keys=True) + "\n")
    print(f"{card.name}: {record['parameters']} parameters, accuracy {accuracy:.4f} on {len(split.test_y)} test rows")
    return accuracy


def _export(model: nn.Module, example: np.ndarray, input_name: str, path: Path) -> None:
    batch = torch.export.Dim("batch", min=1)
    exported = torch.onnx.export(
        model.eval(),
        (torch.from_numpy(example.astype(np.float32)),),
        dynamo=True,
        opset_version=18,
        external_data=False,
        input_names=[input_name],
        output_names=["logits"],
        dynamic_shapes=({0: batch},),
        verbose=False,
    )
    if exported is None:
        raise SystemExit("torch.onnx.export returned nothing")
    proto = exported.model_proto
    for item in (
        *proto.graph.node,
        *proto.graph.input,
        *proto.graph.output,
        *proto.graph.value_info,
        *proto.graph.initializer,
        proto.graph,
        proto,
    ):
        kept = [p for p in item.metadata_props if p.key in KEPT_METADATA]
        del item.metadata_props[:]
        item.metadata_props.extend(kept)
    onnx.checker.check_model(proto, full_check=True)
    path.write_bytes(proto.SerializeToString(deterministic=True))


def _decisions(path: Path, x: np.ndarray) -> np.ndarray:
    session = ort.InferenceSession(path, providers=["CPUExecutionProvider"])
    name = session.get_inputs()[0].name
    parts = np.array_split(x.astype(np.float32), -(-len(x) // 500))
    return np.concatenate([session.run(None, {name: part})[0].argmax(axis=1) for part in parts])


def _save_samples(split: Split, path: Path, test_rows: int | None) -> None:
    """The training rows come shuffled, so the first ones are a sample; the test rows of the file are the first of the split."""
    np.savez_compressed(
        path,
        calibration=split.train_x[:CALIBRATION_ROWS],
        calibration_labels=split.train_y[:CALIBRATION_ROWS].astype(np.uint8),
        test=split.test_x[:test_rows],
        test_labels=split.test_y[:test_rows].astype(np.uint8),
    )
