# SPDX-License-Identifier: MIT OR Apache-2.0
"""Bring the model to the opset of operators.py, or above it where nothing that we use has changed since."""

from __future__ import annotations

import numpy as np
import onnx
from onnx import helper, numpy_helper, version_converter

from verifiable_ml.errors import UnsupportedModel
from verifiable_ml.frontend.graph import Rewrite, distinguish
from verifiable_ml.frontend.operators import OPSET

NAME = "normalise_opset"
OLDEST = 7  # below, operators had no numpy-style broadcasting
RELABEL_FROM = 18  # 19 and 20 only widened types and added attributes whose defaults mean the same
ASYMMETRIC_BEFORE = 11
IR_VERSION = 9  # what opset 20 needs


def version(model: onnx.ModelProto) -> int:
    """The version of the default operator set that a model imports, 0 for none."""
    return next((entry.version for entry in model.opset_import if entry.domain in ("", "ai.onnx")), 0)


def check_known(model: onnx.ModelProto) -> int:
    """The version of the default operator set. Raises UnsupportedModel for one that is not known."""
    found, newest = version(model), onnx.defs.onnx_opset_version()
    if not OLDEST <= found <= newest:
        raise UnsupportedModel(
            thing=f"opset {found}", reason=f"{OLDEST} to {newest} are known", hint="export again with opset 18, or upgrade onnx"
        )
    return found


def import_default(model: onnx.ModelProto) -> tuple[onnx.ModelProto, list[Rewrite]]:
    """A model that imports the default operators, which one of other operators only need not do, and passes do."""
    if version(model) or any(node.domain in ("", "ai.onnx") for node in model.graph.node):
        return model, []
    model.opset_import.append(helper.make_opsetid("", OPSET))
    model.ir_version = max(model.ir_version, IR_VERSION)
    return model, [Rewrite(NAME, "the model", "no opset", f"opset {OPSET}")]


def apply(model: onnx.ModelProto) -> tuple[onnx.ModelProto, list[Rewrite]]:
    """A model of opset 20 or above. Raises UnsupportedModel below 7, or where the converter has no adapter."""
    found = check_known(model)
    if found >= OPSET:
        return model, []
    converted = _relabelled(model) if found >= RELABEL_FROM else _converted(model, found)
    converted.ir_version = max(converted.ir_version, IR_VERSION)
    return converted, [Rewrite(NAME, "the model", f"opset {found}", f"opset {OPSET}")]


def _relabelled(model: onnx.ModelProto) -> onnx.ModelProto:
    for entry in model.opset_import:
        if entry.domain in ("", "ai.onnx"):
            entry.version = OPSET
    for node in model.graph.node:
        if node.op_type == "DFT" and not node.domain:
            _give_axis(model, node)
    return model


def _give_axis(model: onnx.ModelProto, node: onnx.NodeProto) -> None:
    """DFT takes its axis as an operand since 20."""
    axis = next((a.i for a in node.attribute if a.name == "axis"), 1)
    kept = [a for a in node.attribute if a.name != "axis"]
    del node.attribute[:]
    node.attribute.extend(kept)
    node.input.extend([""] * (2 - len(node.input)) + [f"{node.output[0]}/axis"])
    model.graph.initializer.append(numpy_helper.from_array(np.array(axis, np.int64), f"{node.output[0]}/axis"))


def _keep_asymmetric(model: onnx.ModelProto) -> None:
    """Before 11 a pixel's place was its index times the scale; the converter leaves today's default, the centre of pixels."""
    for node in model.graph.node:
        if node.op_type == "Resize" and not any(a.name == "coordinate_transformation_mode" for a in node.attribute):
            node.attribute.append(helper.make_attribute("coordinate_transformation_mode", "asymmetric"))
            node.attribute.append(helper.make_attribute("nearest_mode", "floor"))


def _converted(model: onnx.ModelProto, found: int) -> onnx.ModelProto:
    """Through onnx's converter, which forgets where nodes came from: that is put back by output name."""
    origins = {name: node for node in model.graph.node for name in node.output if name}
    try:
        converted = version_converter.convert_version(model, OPSET)
    except Exception as error:  # the converter is C++ and raises what it likes
        raise UnsupportedModel(
            thing=f"opset {found}", reason=f"onnx's converter gave up: {error}", hint="export again with opset 18"
        ) from error
    if found < ASYMMETRIC_BEFORE:
        _keep_asymmetric(converted)
    for node in converted.graph.node:
        known = next((origins[name] for name in node.output if name in origins), None)
        if known is not None and not node.metadata_props:
            node.name = node.name or known.name
            node.metadata_props.extend(known.metadata_props)
    distinguish(converted.graph)  # where one node became several, they have one name
    return converted
