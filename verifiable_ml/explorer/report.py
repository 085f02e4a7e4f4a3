# SPDX-License-Identifier: MIT OR Apache-2.0
"""The report of a compilation as a page: what came out, how faithful it is, what every layer costs, what was changed.

It shows what `Program.report_to_json` holds, and leaves out what is not there: a report of another version still reads.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from math import isfinite
from typing import Any

from verifiable_ml.explorer.chart import bar, scatter
from verifiable_ml.explorer.style import SHEET
from verifiable_ml.frontend import passes
from verifiable_ml.program import Program

Record = Mapping[str, Any]
MOST_PLOTTED = 6
"""Outputs that get a picture; the table has all."""


def report_page(title: str, program: Program, document: Record) -> str:
    """One HTML page. document: as `report_to_json` gives it, `fidelity` and `rewrites`."""
    fidelity = document.get("fidelity", {})
    sections = (
        answers(fidelity),
        layers(fidelity.get("layers", ())),
        widths(fidelity.get("trials", ())),
        rewrites(document.get("rewrites", ())),
        choices(fidelity.get("spec", {})),
    )
    body = "".join((header(title, program), tiles(program, fidelity), bits(program), *sections))
    return (
        f'<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n<title>{escape(title)} · verifiable_ml</title>\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<style>{SHEET}</style>\n</head>\n<body>\n<main>\n{body}"
        "<footer>Made by <code>vml compile</code>. No id depends on this page.</footer>\n</main>\n</body>\n</html>\n"
    )


def header(title: str, program: Program) -> str:
    """Name and id, and what goes in and comes out."""
    ends = [f"{escape(each.name)} {_shape(each.spec.shape)}" for each in program.inputs]
    outs = [f"{escape(each.name)} {_shape(program.spec(each.index).shape)}" for each in program.outputs]
    return (
        f'<header>\n<h1>{escape(title)}</h1>\n<p class="dim">{_some(ends)} &rarr; {_some(outs)}</p>\n'
        f'<code class="id" title="program id">{program.id.hex()}</code>\n</header>\n'
    )


def tiles(program: Program, fidelity: Record) -> str:
    """The figures that matter first."""
    outputs = fidelity.get("outputs", ())
    found = [("operators", f"{len(program.operators):,}"), ("parameters", f"{program.parameters:,}")]
    macs = sum(layer.get("macs", 0) for layer in fidelity.get("layers", ()))
    found += [("multiply-adds", _short(macs))] if macs else []
    count = len(program.inputs) + len(program.operators)
    found.append(("trace of a run", _bytes(sum(program.spec(index).nbytes for index in range(count)))))
    found.append(("weights", _bytes(sum(constant.nbytes for constant in program.constants))))
    if outputs:
        samples = f", {_count(fidelity['samples'], 'sample')}" if "samples" in fidelity else ""
        found.append(("cosine with float", f"{min(o['cosine'] for o in outputs):.5f}"))
        found.append((f"same decisions{samples}", f"{min(o['agreement'] for o in outputs):.1%}"))
    cells = "".join(f'<div class="tile"><dt>{name}</dt><dd>{value}</dd></div>\n' for name, value in found)
    return f'<dl class="tiles">\n{cells}</dl>\n'


def bits(program: Program) -> str:
    """How wide the tensors of a trace are, by their bytes."""
    nbytes, counts = Counter[str](), Counter[str]()
    for operator in program.operators:
        nbytes[operator.output.dtype.label] += operator.output.nbytes
        counts[operator.output.dtype.label] += 1
    kinds = sorted(nbytes, key=lambda label: int(label[1:]))
    spans = "".join(f'<span class="{kind}" style="flex:{nbytes[kind]}"></span>' for kind in kinds)
    texts = {kind: f"{kind}: {_count(counts[kind], 'tensor')}, {_bytes(nbytes[kind])}" for kind in kinds}
    legend = "".join(f'<span class="{kind}"><i></i><b>{text}</b></span>' for kind, text in texts.items())
    note = "Integers of 8 to 64 bits, each as narrow as its proven interval allows; by the bytes of a run's trace."
    return _section("Widths", note, f'<div class="share">{spans}</div><div class="legend">{legend}</div>')


def answers(fidelity: Record) -> str:
    """Outputs against the float model's: figures, then pictures."""
    outputs = fidelity.get("outputs", ())
    if not outputs:
        return ""
    columns = ("output", "cosine", "same decisions", "clear decisions", "greatest error", "mean error", "range")
    rows = [
        (
            _name(each["name"]), f"{each['cosine']:.6f}", f"{each['agreement']:.1%}", _clear(each),
            f"{each['max_error']:.3g}", f"{each['mean_error']:.3g}", f"{each['spread']:.3g}",
        )
        for each in outputs
    ]  # fmt: skip
    figures = "".join(_figures(each) for each in outputs[:MOST_PLOTTED] if each.get("points"))
    note = (
        "What the integers answer beside what the float model does, on samples that calibration has not seen. A decision is "
        "clear if the float model takes it by more than 1 % of the output's range."
    )
    return _section("Answers", note, _table(columns, rows, numbers=range(1, 7)) + f'<div class="plots">{figures}</div>')


def _figures(output: Record) -> str:
    points = output["points"]
    errors = [(real, integer - real) for real, integer in points]
    name = escape(output["name"])
    plots = {"integers against float": scatter(points), "what is lost": scatter(errors, "integers less float", even=False)}
    return "".join(f"<figure><figcaption>{name}: {what}</figcaption>{plot}</figure>" for what, plot in plots.items())


def _clear(output: Record) -> str:
    if "decisions" not in output:
        return ""
    return f"{output['decisions']:.1%} <span class='dim'>of {output.get('clear', 1.0):.1%}</span>"


def layers(found: Sequence[Record]) -> str:
    """In the order of the graph: width, error with what the layer adds, cost."""
    if not found:
        return ""
    worst = max((layer["error"] for layer in found if isfinite(layer["error"])), default=0.0)
    most = max((layer.get("macs", 0) for layer in found), default=0)
    rows = [
        (
            _name(layer["name"]), escape(_operators(layer)), _bits(layer["dtype"]), _whole(layer["shape"]),
            bar(layer["error"], worst, layer["added"]), f"{layer['error']:.2%}", _signed(layer["added"]), _share(layer),
            bar(layer.get("macs", 0), most, width=70), _short(layer.get("macs", 0)), _bytes(layer.get("trace_bytes", 0)),
        )
        for layer in found
    ]  # fmt: skip
    columns = ("layer", "operator", "bits", "shape", "error", "", "added", "share", "multiply-adds", "", "trace")
    note = (
        "Root mean square error over root mean square value, against the float model; full colour is what the layer adds to its "
        "worst operand's. Errors can also shrink: rounding averages out in sums, and a ReLU forgets. Share: how much of the "
        "outputs' error comes from rounding this tensor and its weights, which more bits there would mend; an estimate."
    )
    return _section("Layers", note, _table(columns, rows, numbers=(5, 6, 7, 9, 10)))


def _share(layer: Record) -> str:
    share = layer.get("rounded", 0.0) + layer.get("weighed", 0.0)
    return f"{share:.1%}" if share >= 0.0005 else ""


def _signed(share: float) -> str:
    return f"{share:+.2%}".replace("-0.00%", "+0.00%").replace("-", "&minus;")


def _operators(layer: Record) -> str:
    more = layer.get("operators", 1) - 1
    return f"{layer['kind']} + {more}" if more > 0 else str(layer["kind"])


def widths(trials: Sequence[Record]) -> str:
    """The search, step by step, in the order in which it went."""
    if not trials:
        return ""
    columns = [key for key in trials[0] if key not in ("name", "chosen")]
    rows = [(_name(trial.get("name", "")), *(_figure(key, trial.get(key)) for key in columns)) for trial in trials]
    taken = [place for place, trial in enumerate(trials) if trial.get("chosen")]
    heads = ("activations / weights", *(TRIAL.get(key, key.replace("_", " ")) for key in columns))
    note = "Widths that were tried, in order; the one that was taken is marked. Proofs and disputes pay for the bytes."
    return _section("Search", note, _table(heads, rows, numbers=range(1, len(heads)), taken=taken))


TRIAL = {
    "wide": "wide tensors", "heavy": "products with wide weights", "trace_bytes": "trace", "weight_bytes": "weights",
    "decisions": "clear decisions",
}  # fmt: skip
"""How fields of a trial are called on the page; others by their own names."""


def _figure(key: str, value: Any) -> str:
    if isinstance(value, bool) or value is None:
        return str(value or "")
    if key.endswith("bytes"):
        return _bytes(value)
    if isinstance(value, float):
        return f"{value:.1%}" if key == "decisions" else f"{value:.6f}"
    return f"{value:,}" if isinstance(value, int) else escape(str(value))


def rewrites(found: Sequence[Record]) -> str:
    """What was changed in the graph before, by pass, with its reason."""
    if not found:
        return ""
    groups: dict[str, list[Record]] = {}
    for each in found:
        groups.setdefault(each["name"], []).append(each)
    parts = []
    for name, group in groups.items():
        rows = [(_name(each["node"]), escape(each["before"]), escape(each["after"])) for each in group]
        why = f'<span class="why">{escape(_reason(name))}</span>'
        nodes = f'<span class="dim">{_count(len(group), "node")}</span>'
        head = f"<summary><code>{escape(name)}</code> {nodes}{why}</summary>"
        parts.append(f"<details>{head}{_table(('node', 'before', 'after'), rows)}</details>")
    note = "Changes to the ONNX graph on the way in. After each, onnxruntime compared the answers with those of the original."
    return _section("Rewrites", note, "".join(parts))


def _reason(name: str) -> str:
    """The first paragraph of the pass's own documentation; nothing for a pass that is no more."""
    module = sys.modules.get(f"{passes.__name__}.{name}")
    return (module.__doc__ or "").strip().split("\n\n")[0].replace("\n", " ") if module else ""


def choices(spec: Record) -> str:
    """What was asked for."""
    if not spec:
        return ""
    cells = [(escape(str(key).replace("_", " ")), f"<code>{escape(str(value))}</code>") for key, value in spec.items()]
    return _section("Settings", "What the compiler was asked for.", _table(("setting", "value"), cells))


def _section(title: str, note: str, body: str) -> str:
    return f'<section>\n<h2>{title}</h2>\n<p class="note">{note}</p>\n{body}\n</section>\n'


def _table(columns: Sequence[str], rows: Iterable[Sequence[str]], numbers: Iterable[int] = (), taken: Sequence[int] = ()) -> str:
    """Cells are HTML. numbers: columns to the right; taken: rows that are marked."""
    right = set(numbers)
    kinds = [' class="n"' if place in right else "" for place in range(len(columns))]
    head = "".join(f"<th{kind}>{column}</th>" for kind, column in zip(kinds, columns, strict=True))
    lines = []
    for place, row in enumerate(rows):
        mark = ' class="taken"' if place in taken else ""
        cells = "".join(f"<td{kind}>{cell}</td>" for kind, cell in zip(kinds, row, strict=True))
        lines.append(f"<tr{mark}>{cells}</tr>\n")
    return f'<div class="wide"><table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{"".join(lines)}</tbody>\n</table></div>'


def _name(text: str) -> str:
    return f"<code>{escape(text)}</code>"


def _bits(label: str) -> str:
    kind = label if label in ("u8", "i16", "i32", "i64") else ""
    return f'<span class="bits {kind}">{escape(label)}</span>'


def _shape(shape: Iterable[int]) -> str:
    return " &times; ".join(map(str, shape)) or "scalar"


def _whole(shape: Iterable[int]) -> str:
    return f'<span class="whole">{_shape(shape)}</span>'


def _some(texts: Sequence[str]) -> str:
    return ", ".join(texts[:4]) + (f" and {len(texts) - 4} more" if len(texts) > 4 else "")


def _count(count: int, thing: str) -> str:
    return f"{count:,} {thing}{'' if count == 1 else 's'}"


def _short(count: float) -> str:
    """1.2 M for 1,234,567; nothing for none."""
    for unit in ("", " k", " M", " G"):
        if count < 1000:
            return f"{count:.3g}{unit}" if count else ""
        count /= 1000
    return f"{count:.3g} T"


def _bytes(count: float) -> str:
    return f"{_short(count) or '0'}{'' if count >= 1000 else ' '}B" if count else ""
