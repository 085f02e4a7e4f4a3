# SPDX-License-Identifier: MIT OR Apache-2.0
"""passes: one file a rewrite, one function `apply(model) -> (model, rewrites)` in each, in the order of PASSES.

A pass owns the model that it is given. After each one that changed anything, onnxruntime compares the answers with those of the
original on samples and random inputs; a pass that changed an answer is named in the error.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import onnx

from verifiable_ml.errors import MalformedModel, UnsupportedModel, VerifiableMlError
from verifiable_ml.frontend import judge
from verifiable_ml.frontend.graph import Rewrite
from verifiable_ml.frontend.passes import (
    explicit_axes,
    explicit_windows,
    fix_dimensions,
    fold_batch_norm,
    fold_constants,
    fuse_gelu,
    fuse_layer_norm,
    inline_functions,
    literal_shapes,
    normalise_opset,
    plain_arithmetic,
    plain_slices,
    remove_no_ops,
    remove_unused,
    split_gemm,
)

Pass = Callable[[onnx.ModelProto], tuple[onnx.ModelProto, list[Rewrite]]]

PASSES: tuple[tuple[str, Pass], ...] = tuple(
    (p.NAME, p.apply)
    for p in (
        inline_functions,
        normalise_opset,
        fold_constants,
        remove_no_ops,
        fuse_gelu,
        fuse_layer_norm,
        fold_batch_norm,
        split_gemm,
        plain_arithmetic,
        explicit_windows,
        explicit_axes,
        plain_slices,
        literal_shapes,
        fold_constants,
        remove_no_ops,
        remove_unused,
    )
)


def run(
    model: onnx.ModelProto,
    shapes: Mapping[str, tuple[int, ...]],
    samples: Sequence[judge.Inputs],
    passes: Sequence[tuple[str, Pass]] = PASSES,
) -> tuple[onnx.ModelProto, tuple[Rewrite, ...]]:
    """Fix the dimensions, then run every pass under the judge. Changes the model it is given.

    Raises InvalidInput (shapes), UnsupportedModel (onnxruntime cannot run the model, or a pass broke it, by name).
    """
    model, log = _guarded(fix_dimensions.NAME, partial(fix_dimensions.apply, shapes=shapes), model)
    normalise_opset.check_known(model)
    trials = judge.trial_inputs(model, samples)
    expected = judge.outputs(model, trials, "the model")
    for name, step in passes:
        model, done = _guarded(name, step, model)
        reason = judge.difference(expected, judge.outputs(model, trials, f"the model after pass {name}")) if done else None
        if reason is not None:
            raise _broken(name, f"changed the answer of the model: {reason}")
        log += done
    return model, tuple(log)


def _guarded(name: str, step: Pass, model: onnx.ModelProto) -> tuple[onnx.ModelProto, list[Rewrite]]:
    """A stranger's graph may break a rule that neither onnx's checker nor onnxruntime enforces: still a typed error."""
    try:
        return step(model)
    except VerifiableMlError:
        raise
    except onnx.shape_inference.InferenceError as error:
        raise MalformedModel(
            thing="the model", reason=f"its shapes contradict each other: {error}", hint="export it again"
        ) from error
    except Exception as error:
        raise _broken(name, f"failed: {type(error).__name__}: {error}") from error


def _broken(name: str, reason: str) -> UnsupportedModel:
    return UnsupportedModel(thing=f"pass {name}", reason=reason, hint="report it with the model; it is a defect of the pass")


__all__ = ["PASSES", "Pass", "run"]
