# SPDX-License-Identifier: MIT OR Apache-2.0
"""From anything that holds a model to a prepared one.

In: a path, bytes, a ModelProto or a torch module, and samples. Out: Prepared, whose graph consists of the operators of
operators.py only. Raises with every problem at once; lint.py lists the same problems without raising.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx

from verifiable_ml.errors import InvalidInput, UnsupportedOperator
from verifiable_ml.frontend import passes
from verifiable_ml.frontend.fixed_inputs import fix_inputs, without_fixed
from verifiable_ml.frontend.graph import Index, Rewrite, origin, subgraphs, title
from verifiable_ml.frontend.operators import FALLBACK, WAYS_OUT, Refusal, foreign, refusal
from verifiable_ml.frontend.passes import plain_quantised
from verifiable_ml.frontend.read import LIMIT_BYTES, check_finite, read, unknown_operators
from verifiable_ml.frontend.torch_module import export, is_torch_module
from verifiable_ml.frontend.trees import DOMAIN

Sample = Mapping[str, Any] | Any
NEVER_RUN = ("Loop",)  # not even by onnxruntime to compare: a stranger's loop need not end, unless the pass unroll_loops says so


@dataclass(frozen=True)
class Problem:
    """One node that cannot be lowered: which, what it is, why, the way out. origin: its place in the torch module, if known."""

    node: str
    operator: str
    reason: str
    fix: str
    origin: str = ""

    def __str__(self) -> str:
        place = f", from {self.origin}" if self.origin else ""
        return f"node `{self.node}` ({self.operator}{place}): {self.reason}; {self.fix}"


@dataclass(frozen=True)
class Prepared:
    """A model ready for quantize/: opset 20, static shapes, the operators of operators.py. `rewrites` says what was changed.

    samples: the caller's samples as the model takes them, one dict an input. classical: it was written with operators of
    ai.onnx.ml, so it is small, and every one of its decisions counts.
    """

    model: onnx.ModelProto
    rewrites: tuple[Rewrite, ...]
    problems: tuple[Problem, ...]
    samples: tuple[dict[str, np.ndarray], ...]
    classical: bool = False


def load(
    source: Any,
    samples: Sequence[Sample] | None = None,
    *,
    fixed: Mapping[str, Any] | None = None,
    limit_bytes: int = LIMIT_BYTES,
) -> Prepared:
    """Read, rewrite and check a model; the answers are those of the original, as onnxruntime computes them.

    samples: dicts {input name: array} or, with one input, arrays; batch dimension included. Their shapes fix what is open.
    fixed: inputs that become constants, and their values. Raises InvalidInput, MalformedModel, UnsupportedModel,
    UnsupportedOperator (all such nodes in one error), BackendUnavailable.
    """
    prepared = prepare(source, samples, fixed=fixed, limit_bytes=limit_bytes)
    if prepared.problems:
        raise _unsupported(prepared.problems)
    return prepared


def prepare(
    source: Any,
    samples: Sequence[Sample] | None = None,
    *,
    fixed: Mapping[str, Any] | None = None,
    limit_bytes: int = LIMIT_BYTES,
) -> Prepared:
    """The same without raising for single nodes: they are in `problems`, in graph order."""
    model = export(source, samples or ()) if is_torch_module(source) else read(source, limit_bytes=limit_bytes)
    if fixed:
        model, samples = fix_inputs(model, fixed), without_fixed(samples or (), fixed)
    given = checked_samples(model, samples or ())
    classical = any(node.domain == DOMAIN for node in model.graph.node)
    shapes = {name: array.shape for name, array in given[0].items()} if given else {}
    hopeless, unrolled = _hopeless(model), tuple[Rewrite, ...]()
    if hopeless and all(problem.operator in NEVER_RUN for problem in hopeless):
        model, unrolled = passes.end_loops(model, shapes, given)
        hopeless = _hopeless(model)
    if hopeless:
        return Prepared(model, (), hopeless, given)
    model, rewrites = passes.run(model, shapes, given)
    check_finite(model, "the prepared model")
    return Prepared(model, (*unrolled, *rewrites), _problems(model), passes.as_inputs(model, given), classical)


def more_samples(prepared: Prepared, samples: Sequence[Sample]) -> tuple[dict[str, np.ndarray], ...]:
    """Other samples, as a prepared model takes them. Raises InvalidInput."""
    return passes.as_inputs(prepared.model, checked_samples(prepared.model, samples))


def checked_samples(model: onnx.ModelProto, samples: Sequence[Sample]) -> tuple[dict[str, np.ndarray], ...]:
    """Samples as dicts of arrays of the model's types. Raises InvalidInput: names, types, unequal shapes, NaN."""
    weights = {tensor.name for tensor in model.graph.initializer}
    types = {v.name: v.type.tensor_type.elem_type for v in model.graph.input if v.name not in weights}
    rows = tuple(_row(number, sample, types) for number, sample in enumerate(samples))
    for number, row in enumerate(rows):
        for name, array in row.items():
            if array.shape != rows[0][name].shape:
                raise InvalidInput(
                    thing=f"sample {number}, input {name!r}",
                    reason=f"has shape {list(array.shape)}, sample 0 has {list(rows[0][name].shape)}",
                    hint="give samples of one shape: it becomes the shape of the program",
                )
    return rows


def _row(number: int, sample: Sample, types: Mapping[str, int]) -> dict[str, np.ndarray]:
    named = sample if isinstance(sample, Mapping) else dict.fromkeys(types, sample) if len(types) == 1 else {}
    if set(named) != set(types):
        raise InvalidInput(
            thing=f"sample {number}",
            reason=f"has the inputs {sorted(named)}, the model takes {sorted(types)}",
            hint="give a dict with one array an input",
        )
    return {name: _array(f"sample {number}, input {name!r}", named[name], types[name]) for name in types}


def _array(thing: str, value: Any, element_type: int) -> np.ndarray:
    try:
        array = np.asarray(value)
        wanted = onnx.helper.tensor_dtype_to_np_dtype(element_type)
        widened = (
            array.dtype in (wanted, wanted.type)
            or array.dtype.kind == wanted.kind
            or (array.dtype.kind in "biu" and wanted.kind in "fiu")
        )
        changed = (
            array.astype(wanted)
            if (array.dtype.kind in "biuf" or (array.dtype == wanted and array.dtype.kind == "V")) and widened
            else None
        )
    except (ValueError, TypeError, KeyError, OverflowError) as error:
        raise InvalidInput(thing=thing, reason=f"is no array: {error}", hint="give a NumPy array of numbers") from error
    if changed is None or (array.dtype.kind in "iu" and wanted.kind in "iu" and not np.array_equal(changed, array)):
        raise InvalidInput(thing=thing, reason=f"has type {array.dtype}, the model takes {wanted}", hint="convert it first")
    if changed.dtype.kind not in "biu" and not np.isfinite(changed.astype(np.float64)).all():
        raise InvalidInput(thing=thing, reason="contains NaN or infinite values", hint="clean the samples")
    return changed


def _hopeless(model: onnx.ModelProto) -> tuple[Problem, ...]:
    """Nodes that no pass removes and onnxruntime must not or cannot run."""
    own = {(f.domain, f.name) for f in model.functions}
    unknown = {title(node) for node in unknown_operators(model)}
    nodes = [*model.graph.node, *(node for function in model.functions for node in function.node)]
    found = []
    for node in nodes:
        if _may_not_end(node):
            way_out = WAYS_OUT.get(node.op_type, "export without control flow")
            found.append(_problem(node, Refusal("it is control flow, so its trace has no fixed length", way_out)))
        elif node.domain not in ("", "ai.onnx", DOMAIN) and not _is_taken(node) and (node.domain, node.op_type) not in own:
            found.append(_problem(node, foreign(node.domain)))
        elif title(node) in unknown:
            found.append(_problem(node, Refusal("no version of ONNX has this operator", FALLBACK)))
    return tuple(found)


def _is_taken(node: onnx.NodeProto) -> bool:
    """Of onnxruntime's own domain: what the pass plain_quantised rewrites."""
    return node.domain == plain_quantised.ONNXRUNTIME and node.op_type in plain_quantised.TAKEN


def _may_not_end(node: onnx.NodeProto) -> bool:
    """Loops, wherever they hide, and operators of no known kind that hold a graph; the branches of an If run once,
    and a Scan ends with its rows.
    """
    inside = [inner for sub in subgraphs(node) for inner in sub.node]
    return node.op_type in NEVER_RUN or (bool(inside) and node.op_type not in ("If", "Scan")) or any(map(_may_not_end, inside))


def _problems(model: onnx.ModelProto) -> tuple[Problem, ...]:
    index = Index(model)
    found = ((node, refusal(node, index)) for node in model.graph.node)
    return tuple(_problem(node, why) for node, why in found if why is not None)


def _problem(node: onnx.NodeProto, why: Refusal) -> Problem:
    return Problem(title(node), node.op_type, why.reason, why.fix, origin(node))


def _unsupported(problems: tuple[Problem, ...]) -> UnsupportedOperator:
    first = problems[0]
    if len(problems) == 1:
        place = f", from {first.origin}" if first.origin else ""
        return UnsupportedOperator(thing=f"node `{first.node}` ({first.operator}{place})", reason=first.reason, hint=first.fix)
    return UnsupportedOperator(
        thing=f"{len(problems)} nodes",
        reason="\n" + "\n".join(str(problem) for problem in problems),
        hint="`vml lint` lists them as a table",
    )
