# SPDX-License-Identifier: MIT OR Apache-2.0
"""ONNX's own node tests, compiled: which pass, which are refused, and that none is wrong or falls over.

The cases come with the onnx package. Each has inputs and the outputs that the standard wants. Integer and boolean operands beside
float ones become constants of the model, as exporters write them. Run as a program (`python -m differential.onnx_conformance
[part of a name]`, PYTHONPATH=tests) it prints the table.
"""

from __future__ import annotations

import json
import sys
import warnings
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper

import verifiable_ml as vml
from verifiable_ml.errors import VerifiableMlError
from verifiable_ml.frontend import judge

RECORD = Path(__file__).with_name("onnx_conformance.json")
"""How many cases pass, by operator, when this was last run as a program."""
SPEC = vml.QuantSpec(width="16", weights=16)
COPIES = 7
COSINE, CLOSE = 0.999, 0.005  # `close`: the greatest error, of the output's spread
FLOATS = frozenset({onnx.TensorProto.FLOAT, onnx.TensorProto.DOUBLE, onnx.TensorProto.FLOAT16, onnx.TensorProto.BFLOAT16})


PARAMETERS = {
    "Resize": (1, 2),
    "OneHot": (1, 2),
    "STFT": (2,),
    "Pad": (2,),
    "RoiAlign": (1,),
    "Upsample": (1,),
    "Range": (0, 1, 2),
}
"""Floating operands that are settings, not data."""


@dataclass(frozen=True)
class Case:
    """A model, one input for it, and what it must answer."""

    name: str
    model: onnx.ModelProto
    inputs: dict[str, np.ndarray]
    outputs: list[np.ndarray]

    @property
    def operator(self) -> str:
        return " + ".join(dict.fromkeys(f"{n.domain}.{n.op_type}".lstrip(".") for n in self.model.graph.node))


@dataclass(frozen=True)
class Outcome:
    """state: passed, refused (with a typed error, one of them a fidelity below the threshold), wrong, crashed."""

    case: str
    operator: str
    state: str
    reason: str = ""


def cases(part: str = "") -> Iterator[Case]:
    """Every node test with a floating input and tensors only; those written out as function bodies (`_expanded`) too."""
    from onnx.backend.test.case.node import collect_testcases

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = collect_testcases(None)
    for test in found:
        graph = test.model.graph
        tensors = all(v.type.HasField("tensor_type") for v in (*graph.input, *graph.output))
        kinds = {v.type.tensor_type.elem_type for v in graph.input}
        if part in test.name and tensors and kinds & FLOATS and test.data_sets:
            case = _case(test.name, test.model, *test.data_sets[0])
            if case.inputs:
                yield case


def _case(name: str, model: onnx.ModelProto, inputs: list[np.ndarray], outputs: list[np.ndarray]) -> Case:
    fixed = onnx.ModelProto()
    fixed.CopyFrom(model)
    given: dict[str, np.ndarray] = {}
    del fixed.graph.input[:]
    fixed_names = {n.input[i] for n in model.graph.node for i in PARAMETERS.get(n.op_type, ()) if i < len(n.input)}
    for value, array in zip(model.graph.input, map(_array, inputs), strict=True):
        if value.type.tensor_type.elem_type in FLOATS and value.name not in fixed_names:
            fixed.graph.input.append(value)
            given[value.name] = array
        else:
            fixed.graph.initializer.append(numpy_helper.from_array(array, value.name))
    return Case(name, fixed, given, [_array(a) for a in outputs])


def _array(value: np.ndarray | onnx.TensorProto) -> np.ndarray:
    return numpy_helper.to_array(value) if isinstance(value, onnx.TensorProto) else np.asarray(value)


def measure(case: Case) -> Outcome:
    """Compile the case with its input and noisy copies of it, run it, compare."""
    rng = np.random.default_rng(0)
    samples = [case.inputs, *({n: noisy(a, rng) for n, a in case.inputs.items()} for _ in range(COPIES))]
    try:
        program = vml.compile(case.model, samples, spec=SPEC, validation=samples[:1], threshold=COSINE)
        found = program.predict(case.inputs, saturate=True)
    except VerifiableMlError as error:
        typed = all((error.thing, error.reason, error.hint))
        return Outcome(case.name, case.operator, "refused" if typed else "crashed", f"{type(error).__name__} {error}")
    except Exception as error:
        return Outcome(case.name, case.operator, "crashed", f"{type(error).__name__}: {error}")
    reasons = [reason for a, b in zip(case.outputs, found, strict=True) if (reason := unlike(a, b))]
    if reasons and agrees_with_onnxruntime(case, found):
        return Outcome(
            case.name, case.operator, "passed", "onnxruntime, which is compiled, does not answer as the standard wants"
        )
    return Outcome(case.name, case.operator, "wrong" if reasons else "passed", "; ".join(reasons))


def agrees_with_onnxruntime(case: Case, found: list[np.ndarray]) -> bool:
    """onnxruntime is the meaning of a model here, on the few cases where it differs from the standard."""
    answers = judge.outputs(case.model, [case.inputs], case.name)[0]
    return not any(unlike(a, b) for a, b in zip(answers, found, strict=True))


def noisy(array: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The same values, moved a little inside of their range."""
    if not array.size:
        return array
    wide = array.astype(np.float64)
    moved = wide + rng.normal(size=array.shape) * 0.1 * (wide.max() - wide.min())
    return np.clip(moved, wide.min(), wide.max()).astype(array.dtype)


def unlike(wanted: np.ndarray, found: np.ndarray) -> str:
    """Empty if the two agree: by direction, or by the greatest error."""
    if wanted.shape != found.shape:
        return f"shape {list(found.shape)} instead of {list(wanted.shape)}"
    a, b = wanted.astype(np.float64).ravel(), found.astype(np.float64).ravel()
    error, spread = float(np.abs(a - b).max(initial=0)), float(np.abs(a).max(initial=0))
    lengths = float(np.linalg.norm(a) * np.linalg.norm(b))
    cosine = float(a @ b) / lengths if lengths else 0.0
    same = error <= CLOSE * spread or (cosine >= COSINE and error <= 0.1 * spread) or (not spread and error < 1e-3)
    return "" if same else f"cosine {cosine:.5f}, off by {error:.3g} of {spread:.3g}"


def report(outcomes: list[Outcome]) -> str:
    """Counts, what is wrong or crashed in full, and what was refused by operator."""
    counts = Counter(o.state for o in outcomes)
    lines = [", ".join(f"{counts[state]} {state}" for state in ("passed", "refused", "wrong", "crashed"))]
    lines += [f"{o.state.upper()} {o.case}: {o.reason[:300]}" for o in outcomes if o.state in ("wrong", "crashed")]
    by_operator: dict[str, list[Outcome]] = defaultdict(list)
    for outcome in outcomes:
        by_operator[outcome.operator if len(outcome.operator) < 40 else "(function body)"].append(outcome)
    for operator, rows in sorted(by_operator.items()):
        refused = [o for o in rows if o.state == "refused"]
        if refused:
            lines.append(f"{operator}: {len(refused)} of {len(rows)} refused")
            lines += [f"    {o.case}: {o.reason[:220]}" for o in refused]
    return "\n".join(lines)


def passing(outcomes: Iterable[Outcome]) -> dict[str, int]:
    """By operator how many cases pass; what is written out as a function body is left out."""
    counts = Counter(o.operator for o in outcomes if o.state == "passed" and not o.case.endswith("_expanded"))
    return {operator: counts[operator] for operator in sorted(counts) if " + " not in operator}


if __name__ == "__main__":
    found = [measure(case) for case in cases(*sys.argv[1:2])]
    print(report(found))
    if not sys.argv[1:]:
        RECORD.write_text(json.dumps(passing(found), indent=1) + "\n")
