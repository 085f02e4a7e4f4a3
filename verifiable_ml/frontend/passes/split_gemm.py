# SPDX-License-Identifier: MIT OR Apache-2.0
"""Gemm becomes MatMul and Add: alpha, beta and the transposition of constants go into the constants, weights are [K, N]."""

from __future__ import annotations

import numpy as np
import onnx

from verifiable_ml.frontend.graph import Index, Replacement, Rewrite, attributes, make, rewrite_each

NAME = "split_gemm"


def apply(model: onnx.ModelProto) -> tuple[onnx.ModelProto, list[Rewrite]]:
    """A model without Gemm."""
    return rewrite_each(model, NAME, _split)


def _split(node: onnx.NodeProto, index: Index) -> Replacement | None:
    if node.op_type != "Gemm" or node.domain:
        return None
    options, out = attributes(node), node.output[0]
    nodes: list[onnx.NodeProto] = []
    constants: dict[str, np.ndarray] = {}
    left = _transposed(node, 0, bool(options.get("transA", 0)), 1.0, index, nodes, constants)
    alpha = float(options.get("alpha", 1.0))
    right = _transposed(node, 1, bool(options.get("transB", 0)), alpha, index, nodes, constants)
    has_bias = len(node.input) > 2 and bool(node.input[2])
    product = f"{out}/product" if has_bias else out
    nodes.append(make("MatMul", (left, right), (product,), node))
    if has_bias:
        bias = _scaled(node, 2, float(options.get("beta", 1.0)), index, nodes, constants)
        nodes.append(make("Add", (product, bias), (out,), node))
    return Replacement(nodes=tuple(nodes), constants=constants)


def _transposed(
    node: onnx.NodeProto,
    position: int,
    flip: bool,
    factor: float,
    index: Index,
    nodes: list[onnx.NodeProto],
    constants: dict[str, np.ndarray],
) -> str:
    """Name of the operand after transposition and scaling; what that takes is added to nodes or constants."""
    name, value = node.input[position], index.operand(node, position)
    if value is not None and (flip or factor != 1.0):
        changed = f"{node.output[0]}/operand{position}"
        constants[changed] = np.asarray((value.T if flip else value) * factor, value.dtype)
        return changed
    if flip:
        changed = f"{node.output[0]}/operand{position}/transposed"
        nodes.append(make("Transpose", (name,), (changed,), node, perm=[1, 0]))
        name = changed
    return _times(name, factor, node, position, nodes, constants)


def _scaled(
    node: onnx.NodeProto,
    position: int,
    factor: float,
    index: Index,
    nodes: list[onnx.NodeProto],
    constants: dict[str, np.ndarray],
) -> str:
    name, value = node.input[position], index.operand(node, position)
    if value is not None and factor != 1.0:
        changed = f"{node.output[0]}/operand{position}"
        constants[changed] = np.asarray(value * factor, value.dtype)
        return changed
    return _times(name, factor, node, position, nodes, constants)


def _times(
    name: str,
    factor: float,
    node: onnx.NodeProto,
    position: int,
    nodes: list[onnx.NodeProto],
    constants: dict[str, np.ndarray],
) -> str:
    if factor == 1.0:
        return name
    number, changed = f"{node.output[0]}/factor{position}", f"{node.output[0]}/operand{position}/scaled"
    constants[number] = np.array(factor, np.float32)
    nodes.append(make("Mul", (name, number), (changed,), node))
    return changed
