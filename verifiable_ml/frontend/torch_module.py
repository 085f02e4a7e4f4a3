# SPDX-License-Identifier: MIT OR Apache-2.0
"""A torch module becomes ONNX through the dynamo exporter. torch is imported only if the caller already has."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import onnx

from verifiable_ml.errors import BackendUnavailable, InvalidInput, UnsupportedModel

OPSET = 18  # what the exporter writes natively
PRIVATE = ("pkg.torch.onnx.stack_trace", "pkg.torch.onnx.fx_node", "pkg.torch.onnx.original_node_name")


def is_torch_module(source: Any) -> bool:
    """True for a torch.nn.Module; without torch there can be none."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(source, torch.nn.Module)


def export(module: Any, samples: Sequence[Any]) -> onnx.ModelProto:
    """The module in eval mode, traced with the first sample: a dict {parameter of forward: array}, or an array.

    The module's own mode is restored. Raises InvalidInput without a sample, BackendUnavailable without onnxscript,
    UnsupportedModel where the exporter gives up.
    """
    if not samples:
        raise InvalidInput(
            thing="a torch module", reason="needs a sample to be traced with", hint="pass samples=[array] or calibration="
        )
    if importlib.util.find_spec("onnxscript") is None:
        raise BackendUnavailable(
            thing="export of a torch module", reason="onnxscript is not installed", hint="pip install 'verifiable-ml[torch]'"
        )
    modes = [(part, part.training) for part in module.modules()]
    try:
        return _exported(module.eval(), samples[0])
    except Exception as error:  # the exporter raises whatever the traced code does
        raise UnsupportedModel(
            thing=f"torch module {type(module).__name__}",
            reason=f"torch.onnx.export gave up: {_first_line(error)}",
            hint="export it by hand with torch.onnx.export(dynamo=True) and pass the file",
        ) from error
    finally:
        for part, mode in modes:
            part.training = mode


def _exported(module: Any, sample: Any) -> onnx.ModelProto:
    import torch

    def tensor(value: Any) -> Any:
        array = np.asarray(value)
        return torch.from_numpy(array.astype(np.float32) if array.dtype == np.float64 else array)

    named = isinstance(sample, Mapping)
    program = torch.onnx.export(
        module,
        () if named else (tensor(sample),),
        kwargs={k: tensor(v) for k, v in sample.items()} if named else None,
        input_names=list(sample) if named else None,
        dynamo=True,
        opset_version=OPSET,
        external_data=False,
        verbose=False,
    )
    if program is None:
        raise RuntimeError("torch.onnx.export returned nothing")
    model: onnx.ModelProto = program.model_proto
    for item in (model, model.graph, *model.graph.node, *model.graph.input, *model.graph.output, *model.graph.value_info):
        kept = [entry for entry in item.metadata_props if entry.key not in PRIVATE]
        del item.metadata_props[:]
        item.metadata_props.extend(kept)
    return model


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:300]
