# SPDX-License-Identifier: MIT OR Apache-2.0
"""passes: one file a rewrite, one function `apply(model) -> (model, rewrites)` in each, in the order of PASSES.

A pass owns the model that it is given. After each one that changed anything, onnxruntime compares the answers with those of the
original on samples and random inputs; a pass that changed an answer is named in the error.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import numpy as np
import onnx

from verifiable_ml.errors import MalformedModel, UnsupportedModel, VerifiableMlError
from verifiable_ml.frontend import judge
from verifiable_ml.frontend.graph import Rewrite
from verifiable_ml.frontend.passes import (
    centred_variance,
    computed_indices,
    equal_ranks,
    expand_functions,
    explicit_axes,
    explicit_windows,
    finite_values,
    fix_dimensions,
    fold_batch_norm,
    fold_constants,
    fuse_gelu,
    fuse_layer_norm,
    inline_branches,
    inline_functions,
    linear_maps,
    literal_shapes,
    move_elements,
    normalise_opset,
    plain_arithmetic,
    plain_choices,
    plain_convolutions,
    plain_einsum,
    plain_features,
    plain_linear_models,
    plain_matmul,
    plain_norms,
    plain_pools,
    plain_quantised,
    plain_reductions,
    plain_scatters,
    plain_slices,
    plain_softmax,
    plain_svm,
    plain_trees,
    plain_types,
    remove_no_ops,
    remove_unused,
    single_precision,
    split_gemm,
    spread_scans,
    tensor_outputs,
    trees_on_inputs,
    unroll_loops,
    unroll_recurrent,
)

Pass = Callable[[onnx.ModelProto], tuple[onnx.ModelProto, list[Rewrite]]]

PASSES: tuple[tuple[str, Pass], ...] = tuple(
    (p.NAME, p.apply)
    for p in (
        inline_functions,
        normalise_opset,
        fold_constants,
        inline_branches,
        spread_scans,
        unroll_loops,
        plain_quantised,
        plain_features,
        plain_linear_models,
        plain_svm,
        plain_trees,
        trees_on_inputs,
        finite_values,
        remove_no_ops,
        unroll_recurrent,
        fuse_gelu,
        centred_variance,
        fuse_layer_norm,
        fold_batch_norm,
        split_gemm,
        plain_types,
        plain_norms,
        plain_reductions,
        plain_softmax,
        plain_einsum,
        plain_scatters,
        plain_choices,
        plain_arithmetic,
        plain_matmul,
        explicit_windows,
        plain_pools,
        plain_convolutions,
        explicit_axes,
        move_elements,
        computed_indices,
        linear_maps,
        plain_slices,
        equal_ranks,
        literal_shapes,
        fold_constants,
        remove_no_ops,
        remove_unused,
        expand_functions,
    )
)
"""In order; all of them again until none has anything to do, since what one leaves another may take."""
MOST_ROUNDS = 12
UNJUDGED: tuple[tuple[str, Pass], ...] = (
    (normalise_opset.NAME, normalise_opset.import_default),
    (tensor_outputs.NAME, tensor_outputs.apply),
    (single_precision.NAME, single_precision.apply),
    (unroll_recurrent.NAME, unroll_recurrent.time_first),
)
"""Before the first answers: what changes the type of inputs and outputs, and what onnxruntime or a pass cannot do without."""


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
    for name, step in UNJUDGED:
        model, done = _guarded(name, step, model)
        log += done
    normalise_opset.check_known(model)
    trials = judge.trial_inputs(model, as_inputs(model, samples))
    model, expected, defined = _first_answers(model, trials)
    log += defined
    fix_dimensions.write_outputs(model, expected)
    tolerance = judge.LOOSE if plain_quantised.is_quantised(model) else judge.TOLERANCE
    for _ in range(MOST_ROUNDS):
        before = len(log)
        for name, step in passes:
            model, done = _guarded(name, step, model)
            found = judge.outputs(model, trials, f"the model after pass {name}") if done else expected
            reason = judge.difference(expected, found, tolerance)
            if reason is not None:
                raise _broken(name, f"changed the answer of the model: {reason}")
            log += done
        if len(log) == before:
            break
    return model, tuple(log)


def end_loops(
    model: onnx.ModelProto, shapes: Mapping[str, tuple[int, ...]], samples: Sequence[judge.Inputs]
) -> tuple[onnx.ModelProto, tuple[Rewrite, ...]]:
    """Unroll what is sure to end before anything runs the model; what is left of the loops nobody runs.

    Raises as `run`.
    """
    model, log = _guarded(fix_dimensions.NAME, partial(fix_dimensions.apply, shapes=shapes), model)
    model, folded = _guarded(fold_constants.NAME, fold_constants.apply, model)
    given = onnx.ModelProto()
    given.CopyFrom(model)
    model, unrolled = _guarded(unroll_loops.NAME, unroll_loops.apply, model)
    if unrolled and not _has_loops(model):
        trials = judge.trial_inputs(given, as_inputs(given, samples))
        expected, found = (judge.outputs(each, trials, "the model") for each in (given, model))
        reason = judge.difference(expected, found)
        if reason is not None:
            raise _broken(unroll_loops.NAME, f"changed the answer of the model: {reason}")
    return model, (*log, *folded, *unrolled)


def _has_loops(model: onnx.ModelProto) -> bool:
    """Of the graph itself: one inside of a branch or a function is not looked for."""
    return any(node.op_type == "Loop" and not node.domain for node in model.graph.node)


def _first_answers(
    model: onnx.ModelProto, trials: Sequence[judge.Inputs]
) -> tuple[onnx.ModelProto, list[list[np.ndarray]], list[Rewrite]]:
    """What the model answers; operators that onnxruntime has not yet are run by their definitions."""
    try:
        return model, judge.outputs(model, trials, "the model"), []
    except UnsupportedModel as error:
        if "Could not find an implementation" not in error.reason:
            raise
        model, log = _guarded(expand_functions.NAME, partial(expand_functions.expand, wanted=lambda *_: True), model)
        if not log:
            raise
        return model, judge.outputs(model, trials, "the model"), log


def as_inputs(model: onnx.ModelProto, samples: Sequence[judge.Inputs]) -> tuple[dict[str, np.ndarray], ...]:
    """Samples in the types of the model's inputs, which a pass may have changed."""
    types = {v.name: onnx.helper.tensor_dtype_to_np_dtype(v.type.tensor_type.elem_type) for v in model.graph.input}
    return tuple({name: np.asarray(array, types.get(name)) for name, array in sample.items()} for sample in samples)


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


__all__ = ["PASSES", "Pass", "as_inputs", "end_loops", "run"]
