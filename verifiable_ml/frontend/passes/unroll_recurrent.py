# SPDX-License-Identifier: MIT OR Apache-2.0
"""LSTM, GRU and RNN become plain operators, step by step: both directions, initial states, one constant sequence length.

What a step shares with the others is said in its nodes: tensors of one FAMILY get one range, and what adds up over the steps
is a STATE, of which quantize/ keeps more bits. Source: ONNX LSTM-14, GRU-14, RNN-14.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnx

from verifiable_ml.frontend.graph import FAMILY, STATE, Index, Replacement, Rewrite, attributes, make, rewrite_each

NAME = "unroll_recurrent"
GATES = {"LSTM": 4, "GRU": 3, "RNN": 1}
DEFAULTS = {"LSTM": ("Sigmoid", "Tanh", "Tanh"), "GRU": ("Sigmoid", "Tanh"), "RNN": ("Tanh",)}
ALPHA = {"leakyrelu": 0.01, "thresholdedrelu": 1.0, "elu": 1.0, "hardsigmoid": 0.2, "scaledtanh": None, "affine": None}
BETA = {"hardsigmoid": 0.5, "scaledtanh": None, "affine": None}
OPERATORS = {
    name.lower(): name
    for name in ("Sigmoid", "Tanh", "Relu", "LeakyRelu", "ThresholdedRelu", "Elu", "HardSigmoid", "Softsign", "Softplus")
}


def apply(model: onnx.ModelProto) -> tuple[onnx.ModelProto, list[Rewrite]]:
    """A model without recurrent layers, where their weights and lengths are constant."""
    return rewrite_each(model, NAME, _unrolled)


def time_first(model: onnx.ModelProto) -> tuple[onnx.ModelProto, list[Rewrite]]:
    """With layout 0 where it was 1, which onnxruntime does not run: before it is asked what the model answers."""
    return rewrite_each(model, NAME, _time_first)


def _time_first(node: onnx.NodeProto, index: Index) -> Replacement | None:
    if node.op_type not in GATES or node.domain or not attributes(node).get("layout", 0):
        return None
    base = next(name for name in node.output if name)
    operands, outputs = list(node.input), list(node.output)
    before = {place: f"{base}/time_first/{place}" for place in (0, 5, 6) if len(operands) > place and operands[place]}
    after = {place: f"{base}/batch_later/{place}" for place, name in enumerate(outputs) if name}
    nodes = [make("Transpose", (operands[place],), (name,), node, perm=[1, 0, 2]) for place, name in before.items()]
    renamed = tuple(before.get(place, name) for place, name in enumerate(operands))
    made = tuple(after.get(place, name) for place, name in enumerate(outputs))
    nodes.append(make(node.op_type, renamed, made, node, **{**attributes(node), "layout": 0}))
    for place, name in after.items():
        nodes.append(make("Transpose", (name,), (outputs[place],), node, perm=[1, 0, 2] if place else [2, 0, 1, 3]))
    return Replacement(nodes=tuple(nodes), note="layout 0")


@dataclass(frozen=True)
class Activation:
    """A function by its ONNX name in lower case, with its parameters."""

    kind: str
    alpha: float | None
    beta: float | None


@dataclass(frozen=True)
class Layer:
    """One direction of a recurrent node. w [G, H, I], r [G, H, H], wb and rb [G, H], p [3, H] or None."""

    kind: str
    w: np.ndarray
    r: np.ndarray
    wb: np.ndarray
    rb: np.ndarray
    p: np.ndarray | None
    act: tuple[Activation, ...]
    clip: float | None
    linear_before_reset: bool
    input_forget: bool


@dataclass
class Steps:
    """Nodes and constants under construction, for one direction; names tell direction and step."""

    node: onnx.NodeProto
    prefix: str
    nodes: list[onnx.NodeProto] = field(default_factory=list)
    constants: dict[str, np.ndarray] = field(default_factory=dict)

    def add(self, what: str, step: object, kind: str, *operands: str, state: bool = False, **options: Any) -> str:
        """One node, of the family `what`."""
        name = f"{self.prefix}/{what}/{step}"
        made = make(kind, operands, (name,), self.node, **options)
        made.name = f"{made.name or self.prefix}/{what}/{step}/{self.prefix[-1]}"
        made.metadata_props.add(key=FAMILY, value=f"{self.prefix}/{what}")
        if state:
            made.metadata_props.add(key=STATE, value="1")
        self.nodes.append(made)
        return name

    def constant(self, what: str, value: Any) -> str:
        """The name of a constant; one for all steps."""
        name = f"{self.prefix}/{what}"
        array = np.asarray(value)
        self.constants[name] = array.astype(np.float32) if array.dtype.kind == "f" else array.astype(np.int64)
        return name

    def entries(self, what: str, step: object, x: str, start: int, end: int) -> str:
        """x[:, start:end]."""
        bounds = [self.constant(f"at_{value}", [value]) for value in (start, end, 1, 1)]
        return self.add(what, step, "Slice", x, *bounds)

    def activated(self, what: str, step: object, x: str, act: Activation, clip: float | None) -> str:
        """The function of x, which is clipped before."""
        if clip:
            ends = self.constant("clip_low", np.float32(-clip)), self.constant("clip_high", np.float32(clip))
            x = self.add(f"{what}_clipped", step, "Clip", x, *ends)
        if act.kind in OPERATORS:
            options: dict[str, Any] = {"alpha": act.alpha} if act.alpha is not None else {}
            options |= {"beta": act.beta} if act.beta is not None else {}
            return self.add(what, step, OPERATORS[act.kind], x, **options)
        alpha, beta = (self.constant(f"{what}_{n}", np.float32(v)) for n, v in (("alpha", act.alpha), ("beta", act.beta)))
        if act.kind == "affine":
            return self.add(what, step, "Add", self.add(f"{what}_scaled", step, "Mul", x, alpha), beta)
        inner = self.add(f"{what}_tanh", step, "Tanh", self.add(f"{what}_scaled", step, "Mul", x, beta))
        return self.add(what, step, "Mul", inner, alpha)


State = tuple[str | np.ndarray, ...]
"""h, or h and c: [N, H] each; a constant while it is one."""


def _unrolled(node: onnx.NodeProto, index: Index) -> Replacement | None:
    shape = index.static_shape(node.input[0]) if node.op_type in GATES and not node.domain else None
    if shape is None:
        return None
    found, length = _layers(node, index), _length(node, index, shape[0])
    states = _initial(node, index, shape[1])
    if found is None or length is None or states is None or attributes(node).get("layout", 0):
        return None
    directions = {"forward": (1,), "reverse": (-1,)}.get(str(attributes(node).get("direction", "forward")), (1, -1))
    parts = []
    for place, (layer, sign) in enumerate(zip(found, directions, strict=True)):
        steps = Steps(node, f"{next(name for name in node.output if name)}/{place}")
        order = range(length)[::sign]
        parts.append((steps, *_run(steps, layer, node.input[0], order, _of_direction(steps, states, place), shape[1])))
    return _joined(node, parts, (shape[0], shape[1], found[0].r.shape[1]), length)


def _layers(node: onnx.NodeProto, index: Index) -> list[Layer] | None:
    given, gates = attributes(node), GATES[node.op_type]
    w, r, b = (index.operand(node, place) for place in (1, 2, 3))
    dynamic_bias = len(node.input) > 3 and node.input[3] and b is None
    peep = index.operand(node, 7) if node.op_type == "LSTM" else None
    dynamic_peep = node.op_type == "LSTM" and len(node.input) > 7 and node.input[7] and peep is None
    if w is None or r is None or dynamic_bias or dynamic_peep:
        return None
    count, hidden = r.shape[0], r.shape[2]
    acts = list(_activations(node.op_type, given, count))
    if any(act.kind not in OPERATORS and act.kind not in ALPHA for act in acts):
        return None
    bias = np.zeros((count, 2, gates, hidden)) if b is None else b.reshape(count, 2, gates, hidden)
    each = len(DEFAULTS[node.op_type])
    return [
        Layer(
            kind=node.op_type,
            w=w[d].reshape(gates, hidden, -1),
            r=r[d].reshape(gates, hidden, hidden),
            wb=bias[d, 0],
            rb=bias[d, 1],
            p=None if peep is None or not peep[d].any() else peep[d].reshape(3, hidden),
            act=tuple(acts[d * each : (d + 1) * each]),
            clip=given.get("clip"),
            linear_before_reset=bool(given.get("linear_before_reset", 0)),
            input_forget=bool(given.get("input_forget", 0)),
        )
        for d in range(count)
    ]


def _activations(kind: str, given: dict[str, Any], count: int) -> Iterator[Activation]:
    """Alphas and betas are consumed by the functions that take one, in order."""
    named = given.get("activations") or DEFAULTS[kind] * count
    alphas, betas = iter(given.get("activation_alpha", ())), iter(given.get("activation_beta", ()))
    for name in named:
        lower = (name.decode() if isinstance(name, bytes) else str(name)).lower()
        alpha = next(alphas, ALPHA[lower]) if lower in ALPHA else None
        beta = next(betas, BETA[lower]) if lower in BETA else None
        yield Activation(lower, alpha, beta)


def _length(node: onnx.NodeProto, index: Index, steps: int) -> int | None:
    """The one constant length of all sequences of the batch."""
    if len(node.input) < 5 or not node.input[4]:
        return steps
    given = index.operand(node, 4)
    return int(given[0]) if given is not None and given.size and (given == given[0]).all() and given[0] > 0 else None


def _initial(node: onnx.NodeProto, index: Index, batch: int) -> list[str | np.ndarray] | None:
    """Initial h, and c: names, or constants [D, N, H]."""
    r = index.operand(node, 2)
    if r is None:
        return None
    found: list[str | np.ndarray] = []
    for place in (5, 6) if node.op_type == "LSTM" else (5,):
        name = node.input[place] if len(node.input) > place else ""
        value = index.constant(name) if name else np.zeros((r.shape[0], batch, r.shape[2]), np.float32)
        found.append(name if value is None else value)
    return found


def _of_direction(steps: Steps, states: Sequence[str | np.ndarray], place: int) -> State:
    """[N, H] of each."""
    return tuple(
        state[place]
        if isinstance(state, np.ndarray)
        else steps.add(f"initial_{what}", 0, "Gather", state, steps.constant("place", np.int64(place)), axis=0)
        for what, state in zip("hc", states, strict=False)
    )


def _run(steps: Steps, layer: Layer, x: str, order: Sequence[int], state: State, batch: int) -> tuple[dict[int, str], list[str]]:
    """The h of each step by its place in time, and the last state."""
    gates, hidden = layer.w.shape[:2]
    before = layer.kind == "GRU" and layer.linear_before_reset
    bias = layer.wb + (np.concatenate([layer.rb[:2], 0 * layer.rb[2:]]) if before else layer.rb)
    product = steps.add("x_w", "all", "MatMul", x, steps.constant("w", layer.w.reshape(gates * hidden, -1).T))
    fed = steps.add("x_wb", "all", "Add", product, steps.constant("b", bias.reshape(-1)))
    outputs: dict[int, str] = {}
    for t in order:
        at = steps.constant(f"step_{t}", np.int64(t))
        fed_now = steps.add("fed", t, "Gather", fed, at, axis=0)
        state = STEP[layer.kind](steps, layer, t, fed_now, state)
        outputs[t] = str(state[0])
    return outputs, [str(each) for each in state]


def _recurrent(steps: Steps, t: int, h: str | np.ndarray, r: np.ndarray, what: str) -> str | np.ndarray:
    """The product of h [N, H] and r [G, H, H], [N, G H]."""
    matrix = r.reshape(-1, r.shape[2]).T
    return h @ matrix if isinstance(h, np.ndarray) else steps.add(what, t, "MatMul", h, steps.constant(f"{what}_r", matrix))


def _plus(steps: Steps, what: str, t: int, a: str | np.ndarray, b: str, state: bool = False) -> str:
    """Of a term that may be a constant; nothing to do if that is 0."""
    if isinstance(a, np.ndarray):
        return steps.add(what, t, "Add", b, steps.constant(f"{what}_at_{t}", a), state=state) if a.any() else b
    return steps.add(what, t, "Add", a, b, state=state)


def _times(steps: Steps, what: str, t: int, a: str, b: str | np.ndarray, state: bool = False) -> str | np.ndarray:
    if isinstance(b, np.ndarray):
        return steps.add(what, t, "Mul", a, steps.constant(f"{what}_at_{t}", b), state=state) if b.any() else b
    return steps.add(what, t, "Mul", a, b, state=state)


def _lstm(steps: Steps, layer: Layer, t: int, fed: str, state: State) -> State:
    h, c = state
    hidden, (f_act, g_act, h_act) = layer.r.shape[1], layer.act
    pre = _plus(steps, "gates", t, _recurrent(steps, t, h, layer.r, "h_r"), fed)
    cell = steps.activated("g", t, steps.entries("g_in", t, pre, 3 * hidden, 4 * hidden), g_act, layer.clip)

    def gate(what: str, place: int, peep_at: str | np.ndarray, peep: int) -> str:
        x = steps.entries(f"{what}_in", t, pre, place * hidden, (place + 1) * hidden)
        if layer.p is not None:
            seen: str | np.ndarray = (
                peep_at * layer.p[peep]
                if isinstance(peep_at, np.ndarray)
                else steps.add(f"{what}_peep", t, "Mul", peep_at, steps.constant(f"{what}_p", layer.p[peep]))
            )
            x = _plus(steps, f"{what}_seen", t, seen, x)
        return steps.activated(what, t, x, f_act, layer.clip)

    if layer.p is None:
        three = steps.activated("iof", t, steps.entries("iof_in", t, pre, 0, 3 * hidden), f_act, layer.clip)
        i, o, f = (steps.entries(n, t, three, k * hidden, (k + 1) * hidden) for k, n in enumerate("iof"))
    else:
        i, f = gate("i", 0, c, 0), gate("f", 2, c, 2)
    if layer.input_forget:
        f = steps.add("coupled", t, "Sub", steps.constant("one", np.float32(1)), i)
    new = steps.add("i_g", t, "Mul", i, cell, state=True)
    c = _plus(steps, "c", t, _times(steps, "f_c", t, f, c, state=True), new, state=True)
    if layer.p is not None:
        o = gate("o", 1, c, 1)
    return steps.add("h", t, "Mul", o, steps.activated("c_out", t, c, h_act, None)), c


def _gru(steps: Steps, layer: Layer, t: int, fed: str, state: State) -> State:
    (h,), hidden, (f_act, g_act) = state, layer.r.shape[1], layer.act
    both = _plus(steps, "zr_in", t, _recurrent(steps, t, h, layer.r[:2], "h_zr"), steps.entries("zr_x", t, fed, 0, 2 * hidden))
    zr = steps.activated("zr", t, both, f_act, layer.clip)
    z, r = steps.entries("z", t, zr, 0, hidden), steps.entries("r", t, zr, hidden, 2 * hidden)
    fed = steps.entries("n_x", t, fed, 2 * hidden, 3 * hidden)
    if layer.linear_before_reset:
        product = _recurrent(steps, t, h, layer.r[2:], "h_n")
        biased = (
            product + layer.rb[2]
            if isinstance(product, np.ndarray)
            else steps.add("h_nb", t, "Add", product, steps.constant("n_rb", layer.rb[2]))
        )
        reset = _times(steps, "r_n", t, r, biased)
    else:
        reset = _recurrent(steps, t, _times(steps, "r_h", t, r, h), layer.r[2:], "h_n")
    n = steps.activated("n", t, _plus(steps, "n_in", t, reset, fed), g_act, layer.clip)
    # (1 - z) n + z h, with one product: n + z (h - n)
    if isinstance(h, np.ndarray):
        away = steps.add("away", t, "Sub", steps.constant(f"h_at_{t}", h), n, state=True)
    else:
        away = steps.add("away", t, "Sub", h, n, state=True)
    kept = steps.add("kept", t, "Mul", z, away, state=True)
    return (steps.add("h", t, "Add", kept, n, state=True),)


def _rnn(steps: Steps, layer: Layer, t: int, fed: str, state: State) -> State:
    pre = _plus(steps, "h_in", t, _recurrent(steps, t, state[0], layer.r, "h_r"), fed)
    return (steps.activated("h", t, pre, layer.act[0], layer.clip),)


STEP = {"LSTM": _lstm, "GRU": _gru, "RNN": _rnn}
Part = tuple[Steps, dict[int, str], list[str]]


def _joined(node: onnx.NodeProto, parts: Sequence[Part], shape: tuple[int, int, int], length: int) -> Replacement:
    """Y [T, D, N, H], Y_h and Y_c [D, N, H]."""
    total, batch, hidden = shape
    steps = Steps(node, f"{next(name for name in node.output if name)}/y")
    wanted = [*node.output, "", "", ""][:3]
    if wanted[0]:
        rows = []
        for place, (_, outputs, _) in enumerate(parts):
            padding = steps.constant("nothing", np.zeros((batch, hidden), np.float32)) if length < total else ""
            times = [outputs[t] if t < length else padding for t in range(total)]
            joined = steps.add("time", place, "Concat", *times, axis=0) if len(times) > 1 else times[0]
            to = steps.constant("rows", [total, 1, batch, hidden])
            rows.append(steps.add("rows", place, "Reshape", joined, to))
        _end(steps, wanted[0], rows, axis=1)
    for place, name in enumerate(wanted[1:]):
        if name:
            to = steps.constant("last", [1, batch, hidden])
            last = [steps.add(f"last_{place}", d, "Reshape", final[place], to) for d, (_, _, final) in enumerate(parts)]
            _end(steps, name, last, axis=0)
    nodes = [made for part in (*(p[0] for p in parts), steps) for made in part.nodes]
    constants = {name: value for part in (*(p[0] for p in parts), steps) for name, value in part.constants.items()}
    return Replacement(nodes=tuple(nodes), constants=constants, note=f"{length} steps of plain operators")


def _end(steps: Steps, name: str, parts: Sequence[str], axis: int) -> None:
    kind, options = ("Concat", {"axis": axis}) if len(parts) > 1 else ("Identity", {})
    made = make(kind, tuple(parts), (name,), steps.node, **options)
    made.name = f"{made.name or steps.prefix}/{name}"
    steps.nodes.append(made)
