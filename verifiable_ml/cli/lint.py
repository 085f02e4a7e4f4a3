# SPDX-License-Identifier: MIT OR Apache-2.0
"""`vml lint`: every problem of a model at once."""

from __future__ import annotations

from dataclasses import asdict

from verifiable_ml import frontend
from verifiable_ml.cli.options import Calibration, Fix, Model
from verifiable_ml.cli.render import Screen, table
from verifiable_ml.cli.source import source
from verifiable_ml.errors import UnsupportedModel


def lint(screen: Screen, model: Model, calibration: Calibration = None, fix: Fix = None) -> int | None:
    """List every node of a model that cannot become integers, with the reason and the way out; exit 3 if there is any.

    Samples fix dynamic dimensions; without them a dynamic dimension may itself be the problem.

    For example:
      vml lint model.onnx --calibration samples.npz
      vml lint zoo:digits-cnn
    """
    named = source(model, fix)
    problems = frontend.lint(named.model, named.samples(calibration), fixed=named.fixed)
    rows = [(problem.node, problem.operator, problem.reason, problem.fix) for problem in problems]
    count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
    found = table(f"{named.name}: {count}", ("node", "operator", "reason", "way out"), rows)
    document = {"model": named.name, "problems": [asdict(problem) for problem in problems]}
    screen.show(document, found if problems else f"{named.name}: no problem found")
    return UnsupportedModel.exit_code if problems else None
