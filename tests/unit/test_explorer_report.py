# SPDX-License-Identifier: MIT OR Apache-2.0
"""The report as a page: complete in itself, well formed whatever it is given, and written where the command line says."""

from __future__ import annotations

import json
from html.parser import HTMLParser

import pytest
from typer.testing import CliRunner

import verifiable_ml as vml
from verifiable_ml.cli import app
from verifiable_ml.explorer import report_page
from verifiable_ml.explorer.chart import bar, scatter, ticks
from verifiable_ml.frontend import zoo
from verifiable_ml.program.cost import multiply_accumulates

VOID = {"meta", "rect", "circle", "line"}


class Wellformed(HTMLParser):
    """Fails on a tag that is closed and was not opened, or that asks for anything from elsewhere."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.text: list[str] = []

    def handle_starttag(self, tag, attrs):
        assert not {"src", "href", "srcset", "action", "onclick", "onload"} & {name for name, _ in attrs}
        self.tags.append(tag)
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def read(page: str) -> Wellformed:
    found = Wellformed()
    found.feed(page)
    assert not found.open
    assert not {"script", "link", "img", "iframe", "object", "base"} & set(found.tags)
    assert not any(word in page for word in ("http:", "https:", "url(", "@import"))
    return found


@pytest.fixture(scope="module")
def program() -> vml.Program:
    model = zoo.model("digits-transformer")
    return vml.compile(model.path, model.calibration(40), threshold=-1)


def test_page_of_a_compiled_model_shows_every_layer_and_asks_nobody_for_anything(program):
    page = report_page("digits", program, program.report_to_json())
    found = read(page)
    assert program.id.hex() in page and page.count("<section>") == 6
    assert {layer.name for layer in program.report.layers} <= set(found.text)
    assert {rewrite.name for rewrite in program.rewrites} <= set(found.text)
    assert found.tags.count("circle") == 2 * len(program.report.outputs[0].points) > 100
    assert page == report_page("digits", program, json.loads(json.dumps(program.report_to_json())))


def test_page_of_names_that_are_markup_shows_them_as_text(program):
    ugly = "<script>alert('1')</script> & \"</td>"
    document = json.loads(json.dumps(program.report_to_json()))
    for layer in document["fidelity"]["layers"]:
        layer["name"] = layer["kind"] = layer["dtype"] = ugly
    for rewrite in document["rewrites"]:
        rewrite.update(name=ugly, node=ugly, before=ugly, after=ugly)
    for output in document["fidelity"]["outputs"]:
        output["name"] = ugly
    document["fidelity"]["trials"] = [{"name": ugly, "reason": ugly, "steps": [ugly]}]
    document["fidelity"]["spec"] = {ugly: ugly}
    assert read(report_page(ugly, program, document)).text.count(ugly) > 30


@pytest.mark.parametrize(
    "missing", ["fidelity", "rewrites", "outputs", "layers", "trials", "spec", "points", "macs", "chosen", "clear"]
)
def test_page_of_a_report_without_a_field_leaves_that_out(program, missing):
    def without(value):
        if isinstance(value, dict):
            return {key: without(part) for key, part in value.items() if key != missing}
        return [without(part) for part in value] if isinstance(value, list) else value

    document = json.loads(json.dumps(program.report_to_json()))
    assert program.id.hex() in "".join(read(report_page("digits", program, without(document))).text)


def test_page_of_infinite_errors_is_well_formed(program):
    document = json.loads(json.dumps(program.report_to_json()))
    for number in (float("inf"), float("nan"), -1.0, 0.0):
        for layer in document["fidelity"]["layers"][::2]:
            layer["error"] = layer["added"] = number
        document["fidelity"]["outputs"][0]["points"] = [[number, 1.0], [number, number]]
        assert "nan" not in read(report_page("digits", program, document)).tags


@pytest.mark.parametrize(("low", "high"), [(0, 1), (-1, 1), (-3e-9, 2e-9), (1e6, 1.5e6), (-0.1, 1e30), (41.99, 42.01)])
def test_ticks_are_a_few_round_numbers_in_order_and_in_range(low, high):
    found = ticks(low, high)
    assert 2 <= len(found) <= 8 and found == sorted(found) and low <= found[0] and found[-1] <= high


def test_charts_of_nothing_are_nothing():
    assert scatter([]) == scatter([(float("nan"), 1.0)]) == bar(1.0, 0.0) == bar(float("nan"), 1.0) == ""
    assert scatter([(0.0, 0.0)]).count("circle") == 1


def test_layers_account_for_every_operator_once(program):
    layers = program.report.layers
    assert sum(layer.cost.operators for layer in layers) == len(program.operators)
    assert sum(layer.cost.macs for layer in layers) == sum(multiply_accumulates(program, each) for each in program.operators) > 0
    assert sum(layer.cost.trace_bytes for layer in layers) == sum(each.output.nbytes for each in program.operators)


def test_compile_writes_the_page_beside_the_report_and_where_it_is_told_even_if_refused(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    runner = CliRunner()
    done = runner.invoke(app, ["compile", "zoo:digits-mlp", "-o", "a.vml", "--report", "a.html"])
    assert done.exit_code == 0
    assert (tmp_path / "a.vml/report.html").read_bytes()[:15] == b"<!doctype html>"
    assert vml.load("a.vml").id.hex() in (tmp_path / "a.html").read_text()
    refused = runner.invoke(app, ["compile", "zoo:digits-mlp", "-o", "b.vml", "--report", "b.html", "--threshold", "1.1"])
    assert refused.exit_code == 6
    assert (tmp_path / "b.html").is_file() and not (tmp_path / "b.vml").exists()
    (tmp_path / "c.html").write_text("somebody's own page")
    assert runner.invoke(app, ["compile", "zoo:digits-mlp", "-o", "c.vml", "--report", "c.html"]).exit_code == 2
    assert (tmp_path / "c.html").read_text() == "somebody's own page"
