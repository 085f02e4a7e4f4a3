# SPDX-License-Identifier: MIT OR Apache-2.0
"""A conv by fewer products (proving/ezkl/winograd.py) against the conv of the reference, over shapes, pads and groups."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pytest

from differential.exact_view import CHOICES, prover
from verifiable_ml.commitment import Privacy
from verifiable_ml.execute import run_reference
from verifiable_ml.program import Builder, Interval, Requantise, Tokens
from verifiable_ml.proving.ezkl import cache, circuit, prove, winograd
from verifiable_ml.proving.ezkl.process import Worker
from verifiable_ml.proving.ezkl.view import build, view_inputs


class Conv(NamedTuple):
    """x [1, *spatial, channels] of bytes with zero point 3, kernels [outer, *taps, channels / groups]."""

    spatial: tuple[int, ...]
    channels: int
    outer: int
    taps: tuple[int, ...]
    pads: int = 0
    dilation: int = 1
    groups: int = 1


CONVS = {
    "two_taps": Conv((3, 7), 2, 3, (1, 2)),
    "three_taps_odd_width": Conv((6, 7), 2, 3, (3, 3)),
    "four_taps_in_padding": Conv((5, 6), 2, 3, (2, 4), pads=2),
    "five_taps": Conv((6, 8), 2, 3, (5, 5), pads=2),
    "seven_taps_one_line": Conv((14,), 3, 4, (7,), pads=3),
    "dilated_like_its_stride": Conv((9, 12), 2, 3, (3, 3), pads=2, dilation=2),
    "groups": Conv((6, 8), 4, 6, (3, 3), pads=1, groups=2),
    "width_of_one": Conv((4, 3), 2, 3, (2, 3)),
    "volume": Conv((3, 4, 5), 2, 3, (2, 2, 3), pads=1),
}


def program_of(conv, pooled=False, seed=5):
    rng, builder, rank = np.random.default_rng(seed), Builder(), len(conv.spatial)
    x = builder.input("x", (1, *conv.spatial, conv.channels), Interval(0, 255), Tokens())
    w = builder.constant(rng.integers(0, 256, (conv.outer, *conv.taps, conv.channels // conv.groups)))
    form = Requantise(rng.integers(1, 12, conv.outer), rng.integers(-(10**5), 10**5, conv.outer), 12, 0, 255)
    y = builder.apply(
        "conv", x, w, requantise=form, x_zero=3, w_zero=120, strides=(conv.dilation,) * rank, pads=(conv.pads,) * 2 * rank,
        dilations=(conv.dilation,) * rank, groups=conv.groups,
    )  # fmt: skip
    if pooled:
        y = builder.apply("max", y, axes=0, kernel=(2, 2), strides=(2, 2), pads=(0,) * 4, dilations=(1, 1))
    builder.output("y", y, Tokens())
    return builder.build()


def inputs_of(program):
    rng = np.random.default_rng(11)
    return {"x": rng.choice([0, 1, 3, 90, 254, 255], program.inputs[0].spec.shape)}


@pytest.fixture
def always(monkeypatch):
    """Also where plain sums take fewer cells."""
    monkeypatch.setattr(winograd, "pays", lambda windows, width, rows: rows.shape[2] > 1)


@pytest.mark.parametrize("choice", CHOICES)
@pytest.mark.parametrize("name", CONVS)
def test_fewer_products_give_the_conv_whatever_the_prover_chooses(always, monkeypatch, name, choice):
    program, used = program_of(CONVS[name]), []
    twice = winograd.twice
    monkeypatch.setattr(winograd, "twice", lambda *given: used.append(1) or twice(*given))
    view, inputs = build(program), inputs_of(program)
    assert len(used) == CONVS[name].groups
    given = {"x0": np.array(view_inputs(program, inputs), np.float64)}
    (found,) = prover(view.model, choice).run(None, given)
    assert (found == run_reference(program, inputs).outputs[0]).all()


@pytest.mark.parametrize("pooled", [False, True])
def test_witness_of_a_conv_by_fewer_products_equals_numpy(ezkl, pooled):
    program = program_of(Conv((6, 8), 4, 8, (5, 5), pads=2), pooled)
    inputs = inputs_of(program)
    with cache.workspace() as folder:
        worker = Worker(folder)
        circuit.design(program, Privacy("private", "committed"), worker)
        (outputs,) = worker.run("witnesses", inputs=[view_inputs(program, inputs)])
    prove._agree({"outputs": outputs}, run_reference(program, inputs))


def test_a_conv_takes_fewer_cells_by_fewer_products(ezkl, monkeypatch):
    program, cells = program_of(Conv((14, 14), 6, 16, (5, 5))), []
    for pays in (winograd.pays, lambda *_: False):
        monkeypatch.setattr(winograd, "pays", pays)
        with cache.workspace() as folder:
            found = circuit.design(program, Privacy(), Worker(folder))
        cells.append(found.rows * found.columns)
    assert cells[0] < 0.85 * cells[1]


def test_plain_sums_stay_where_they_are_no_dearer_or_float32_would_round():
    def pays(conv, scale=1):
        outputs = tuple(n - t + 1 for n, t in zip(conv.spatial, conv.taps, strict=True))
        rows = np.full((conv.outer, conv.taps[0], conv.taps[1], conv.channels), scale)
        return winograd.pays(outputs[0] * outputs[1], outputs[1], rows)

    assert pays(Conv((14, 14), 6, 16, (5, 5)))
    assert not pays(Conv((14, 14), 6, 16, (5, 5)), scale=1 << 22)
    assert not pays(Conv((14, 14), 1, 1, (3, 3)))
    assert not pays(Conv((14, 14), 6, 16, (5, 1)))
    assert not pays(Conv((14, 5), 6, 16, (5, 5)))
