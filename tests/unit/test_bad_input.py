# SPDX-License-Identifier: MIT OR Apache-2.0
"""Bad input as a table: the library and the command line answer each with the same typed error, and leave nothing behind.

A row says what is wrong in a folder, the command line that meets it, the call that meets it, and the error that both give.
"""

from __future__ import annotations

import dataclasses
import http.server
import json
import os
import shutil
import subprocess
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from typer.testing import CliRunner

import verifiable_ml as vml
from tests.conftest import TINY_INPUT, tiny_program
from verifiable_ml import errors, proving
from verifiable_ml.api import Program
from verifiable_ml.chain import connect
from verifiable_ml.cli import app, files
from verifiable_ml.commitment import Claim
from verifiable_ml.frontend import zoo
from verifiable_ml.proving import Proof

pytest.importorskip("ezkl")
runner = CliRunner()


@dataclass(frozen=True)
class Bad:
    """One row. `damage` works in the current folder, which is a copy of `good`; `reason` is a part of the error's."""

    damage: Callable[[], object]
    command: str
    call: Callable[[], object]
    error: type[errors.VerifiableMlError]
    thing: str
    reason: str
    environment: dict[str, str] = field(default_factory=dict)


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    """What an honest user has: a model and samples, a program, keys in a cache, a proof with its claim and its key."""
    folder = tmp_path_factory.mktemp("good")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("VML_CACHE_DIR", str(folder / "cache"))
        patch.setenv("VML_BACKEND", "ezkl")
        entry = zoo.model("digits-mlp")
        shutil.copy(entry.path, "model.onnx")
        np.savez("samples.npz", pixels=entry.samples.calibration)
        vml.compile("model.onnx", entry.calibration()).save("digits.vml")
        Program.of(tiny_program()).save("p.vml")
        np.save("x.npy", TINY_INPUT["x"])
        for words in ("setup p.vml", "prove p.vml -i x.npy"):
            assert runner.invoke(app, words.split()).exit_code == 0
    return folder


@pytest.fixture
def here(good, tmp_path, monkeypatch):
    """A copy of `good` to damage, which is the current folder."""
    shutil.copytree(good, tmp_path / "here")
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.setenv("VML_CACHE_DIR", str(tmp_path / "here" / "cache"))
    monkeypatch.setenv("VML_BACKEND", "ezkl")  # whose keys and strings are files
    return tmp_path / "here"


# ---- what is wrong ---------------------------------------------------------------------------------------------------


def weight(value: float) -> Callable[[], object]:
    """A model that diverged: one weight is no number."""

    def damage() -> None:
        model = onnx.load("model.onnx")
        values = numpy_helper.to_array(model.graph.initializer[0]).copy()
        values.flat[7] = value
        model.graph.initializer[0].CopyFrom(numpy_helper.from_array(values, model.graph.initializer[0].name))
        onnx.save(model, "model.onnx")

    return damage


def external(location: str) -> Callable[[], object]:
    """A model whose weights are in a file that lies where no model's weights lie; it exists, with the right length."""

    def damage() -> None:
        model = onnx.load("model.onnx")
        tensor = model.graph.initializer[0]
        secret = Path.cwd().parent / "secret.bin"
        secret.write_bytes(tensor.raw_data)
        Path("link.bin").symlink_to(secret)
        tensor.ClearField("raw_data")
        tensor.data_location = TensorProto.EXTERNAL
        place = location.format(folder=Path.cwd().parent)
        tensor.external_data.add(key="location", value=place)
        Path("model.onnx").write_bytes(model.SerializeToString())

    return damage


def samples(**arrays: object) -> Callable[[], object]:
    return lambda: np.savez("samples.npz", **arrays)


def given(value: object) -> Callable[[], object]:
    return lambda: np.save("x.npy", np.asarray(value))


def model_bytes(change: Callable[[bytes], bytes]) -> Callable[[], object]:
    return lambda: Path("model.onnx").write_bytes(change(Path("model.onnx").read_bytes()))


def oversized() -> None:
    """Three gigabytes with nothing in them."""
    with open("model.onnx", "wb") as file:
        file.truncate(3 << 30)


def unsupported() -> None:
    shape = [1, 2, 2]
    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, shape[: 3 - 2 * at]) for at, name in enumerate("xy"))
    graph = helper.make_graph([helper.make_node("Det", ["x"], ["y"], name="the_determinant")], "g", [x], [y])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)]), "model.onnx")
    np.savez("samples.npz", x=np.ones((5, 2, 2), np.float32))


def flipped(pattern: str) -> Callable[[], object]:
    """The one file of that pattern with a byte changed in its middle; digits stay digits."""

    def damage() -> None:
        (path,) = Path().glob(pattern)
        data = bytearray(path.read_bytes())
        data[len(data) // 2] ^= 1
        path.write_bytes(bytes(data))

    return damage


def cut(pattern: str) -> Callable[[], object]:
    def damage() -> None:
        (path,) = Path().glob(pattern)
        path.write_bytes(path.read_bytes()[:-9])

    return damage


def own_srs(change: Callable[[bytes], bytes]) -> Callable[[], object]:
    """The user's reference string, damaged."""
    return lambda: Path("my.srs").write_bytes(change(next(Path().glob("cache/srs/*/srs")).read_bytes()))


def without_second_group(string: bytes) -> bytes:
    return string[:-256] + bytes(256)


# ---- what meets it ---------------------------------------------------------------------------------------------------


def compile_() -> object:
    (arrays,) = np.load("samples.npz").items()
    return vml.compile("model.onnx", [{arrays[0]: row[None]} for row in arrays[1]])


def endless() -> object:
    return vml.compile("/dev/zero", [])


def run() -> object:
    return vml.load("digits.vml").run(np.load("x.npy"))


def setup() -> object:
    return vml.setup(vml.load("p.vml"), "ezkl")


def prove() -> object:
    return vml.prove(vml.load("p.vml"), np.load("x.npy"), setup())


def read_proof() -> object:
    return Proof.from_bytes(Path("p.proof").read_bytes())


def read_key() -> object:
    return proving.read_key(Path("p.vk").read_bytes())


def read_claim() -> object:
    return Claim.from_json(json.loads(Path("p.claim").read_bytes()))


COMPILE = "compile model.onnx -c samples.npz -o new.vml"
RUN, PROVE_DIGITS = "run digits.vml -i x.npy --claim new.claim", "prove digits.vml -i x.npy -o new.proof --claim new.claim"
SETUP, PROVE = "setup p.vml -o new.vk", "prove p.vml -i x.npy -o new.proof --claim new.claim"
VERIFY = "verify p.proof p.claim -k p.vk"
SRS = {"VML_SRS": "my.srs"}
E = errors

ROWS = {
    "weight_nan": Bad(weight(np.nan), COMPILE, compile_, E.MalformedModel, "tensor", "NaN"),
    "weight_infinite": Bad(weight(np.inf), COMPILE, compile_, E.MalformedModel, "tensor", "infinite"),
    "sample_nan": Bad(samples(pixels=np.full((5, 64), np.nan)), COMPILE, compile_, E.InvalidInput, "sample 0", "NaN"),
    "sample_infinite": Bad(samples(pixels=np.full((5, 64), np.inf)), COMPILE, compile_, E.InvalidInput, "sample 0", "infinite"),
    "sample_shape": Bad(samples(pixels=np.ones((5, 63))), COMPILE, compile_, E.InvalidInput, "pixels", "shape"),
    "sample_type": Bad(samples(pixels=np.full((5, 64), "a")), COMPILE, compile_, E.InvalidInput, "sample 0", "type"),
    "sample_name": Bad(samples(a=np.ones((5, 64)), b=np.ones((5, 64))), COMPILE, lambda: vml.compile(
        "model.onnx", [{"a": np.ones((1, 64)), "b": np.ones((1, 64))}]), E.InvalidInput, "sample 0", "['a', 'b']"),
    "input_nan": Bad(given(np.full((1, 64), np.nan)), RUN, run, E.InvalidInput, "pixels", "NaN"),
    "input_infinite": Bad(given(np.full((1, 64), np.inf)), RUN, run, E.InvalidInput, "pixels", "infinity"),
    "input_shape": Bad(given(np.ones((1, 63))), RUN, run, E.InvalidInput, "pixels", "shape [1, 63]"),
    "input_type": Bad(given([["a"] * 64]), RUN, run, E.InvalidInput, "pixels", "numbers"),
    "input_range": Bad(given(np.full((1, 64), 1e6)), RUN, run, E.InvalidInput, "pixels", "beyond what calibration has seen"),
    "input_shape_to_prove": Bad(given(np.ones((1, 63))), PROVE_DIGITS, run, E.InvalidInput, "pixels", "shape [1, 63]"),
    "operator_unsupported": Bad(unsupported, COMPILE, compile_, E.UnsupportedOperator, "the_determinant", "Det"),
    "model_truncated": Bad(model_bytes(lambda data: data[:-9]), COMPILE, compile_, E.MalformedModel, "model.onnx", "truncated"),
    "model_empty": Bad(model_bytes(lambda data: b""), COMPILE, compile_, E.MalformedModel, "model.onnx", "not an ONNX model"),
    "model_oversized": Bad(oversized, COMPILE, compile_, E.MalformedModel, "model.onnx", "3221225472 bytes"),
    "model_is_text": Bad(model_bytes(lambda data: b"hello"), COMPILE, compile_, E.MalformedModel, "model.onnx", "not an ONNX"),
    "model_is_endless": Bad(lambda: 0, "lint /dev/zero", endless, E.InvalidInput, "/dev/zero", "device"),
    "external_above": Bad(external("../secret.bin"), COMPILE, compile_, E.MalformedModel, "tensor", "outside"),
    "external_absolute": Bad(external("{folder}/secret.bin"), COMPILE, compile_, E.MalformedModel, "tensor", "outside"),
    "external_link": Bad(external("link.bin"), COMPILE, compile_, E.MalformedModel, "tensor", "behind a link"),
    "program_flipped": Bad(flipped("p.vml/weights.safetensors"), SETUP, setup, E.MalformedProgram, "program", ""),
    "srs_flipped": Bad(flipped("cache/srs/*/srs"), PROVE, prove, E.CorruptedArtifact, "srs", "checksum"),
    "srs_given_cut": Bad(own_srs(lambda data: data[:-1]), SETUP, setup, E.InvalidInput, "my.srs", "bytes", SRS),
    "srs_given_of_zeros": Bad(own_srs(without_second_group), SETUP, setup, E.InvalidInput, "my.srs", "group", SRS),
    "srs_given_missing": Bad(lambda: 0, SETUP, setup, E.InvalidInput, "my.srs", "No such file", SRS),
    "proving_key_flipped": Bad(flipped("cache/keys/*/pk"), PROVE, prove, E.CorruptedArtifact, "pk", "checksum"),
    "proving_key_cut": Bad(cut("cache/keys/*/pk"), PROVE, prove, E.CorruptedArtifact, "pk", "checksum"),
    "proof_cut": Bad(cut("p.proof"), VERIFY, read_proof, E.MalformedEvidence, "proof", "no JSON"),
    "claim_cut": Bad(cut("p.claim"), VERIFY, lambda: files.read_claim(Path("p.claim")), E.MalformedEvidence, "claim", "no JSON"),
    "claim_flipped": Bad(lambda: Path("p.claim").write_bytes(b"{}"), VERIFY, read_claim, E.MalformedEvidence, "claim", "read"),
    "key_flipped": Bad(flipped("p.vk"), VERIFY, read_key, E.MalformedEvidence, "key", ""),
    "key_cut": Bad(cut("p.vk"), VERIFY, read_key, E.MalformedEvidence, "key", "no JSON"),
    "memory_limit": Bad(
        lambda: shutil.rmtree("cache"), SETUP, setup, E.ResourceExceeded, "memory", "the limit is", {"VML_MEMORY_LIMIT": "9999"}
    ),
    "cache_unwritable": Bad(lambda: 0, SETUP, setup, E.ResourceExceeded, "cache", "irectory", {"VML_CACHE_DIR": "x.npy"}),
}  # fmt: skip


def _listing() -> set[str]:
    return {str(path) for path in Path().rglob("*")}


@pytest.mark.parametrize("name", ROWS)
def test_bad_input_raises_the_same_error_in_the_library_and_on_the_command_line(here, name, monkeypatch):
    row = ROWS[name]
    row.damage()
    for variable, value in row.environment.items():
        monkeypatch.setenv(variable, value)
    before = _listing()
    with pytest.raises(row.error) as caught:
        row.call()
    assert type(caught.value) is row.error
    shown = runner.invoke(app, [*row.command.split(), "--json"])
    said = json.loads(shown.stdout)
    assert shown.exit_code == row.error.exit_code, said
    assert said["error"] == row.error.__name__
    for told in (caught.value.to_json(), said):
        assert row.thing in told["thing"]
        assert row.reason in told["thing"] + told["reason"]
        assert told["hint"]
    assert _listing() - before <= {"cache", "cache/work"}, "something was left behind"


def test_table_has_no_row_that_is_good(here):
    """The same commands and calls on what is not damaged succeed: a row fails for its damage and for nothing else."""
    for words in (COMPILE, SETUP, PROVE, VERIFY, "lint model.onnx"):
        assert runner.invoke(app, words.split()).exit_code == 0, words
    for call in (compile_, setup, prove, read_proof, read_key, read_claim):
        call()
    np.save("x.npy", zoo.model("digits-mlp").test(1)[0][0]["pixels"])
    run()
    assert runner.invoke(app, RUN.split()).exit_code == 0


# ---- proofs that are well formed and false ---------------------------------------------------------------------------


def test_proof_with_one_bit_changed_is_rejected_with_exit_1(here):
    proof = Proof.from_bytes(Path("p.proof").read_bytes())
    payload = bytearray(proof.payload)
    payload[100] ^= 1
    forged = dataclasses.replace(proof, payload=bytes(payload))
    Path("p.proof").write_bytes(forged.to_bytes())
    assert not vml.verify(forged, proof.claim, files.read_key(Path("p.vk"))).accepted
    shown = runner.invoke(app, [*VERIFY.split(), "--json"])
    assert (shown.exit_code, json.loads(shown.stdout)["accepted"]) == (1, False)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ("verify p.claim p.claim -k p.vk", "it is a claim"),
        ("verify p.proof p.proof -k p.vk", "it is a proof"),
        ("verify p.proof p.claim -k p.proof", "it is a proof"),
        ("verify x.npy p.claim -k p.vk", "no JSON"),
        ("verify /dev/zero p.claim -k p.vk", "more than"),
    ],
)
def test_verify_of_files_in_the_wrong_place_names_the_file_and_what_it_is(here, words, says):
    shown = runner.invoke(app, [*words.split(), "--json"])
    said = json.loads(shown.stdout)
    assert shown.exit_code == 2
    assert says in said["reason"]
    assert any(name in said["thing"] for name in ("p.claim", "p.proof", "x.npy", "/dev/zero"))


# ---- where results go ------------------------------------------------------------------------------------------------

TAKEN = {
    "a_folder": ("p.vml", "directory"),
    "below_a_file": ("x.npy/new", "no directory"),
    "nowhere": ("/proc/nobody/new", "cannot be written"),
    "another_kind": ("model.onnx", "it exists and is no"),
}
WRITING = {
    "setup": "setup p.vml -o {}",
    "prove": "prove p.vml -i x.npy -o {} --claim new.claim",
    "prove_claim": "prove p.vml -i x.npy -o new.proof --claim {}",
    "run": "run p.vml -i x.npy --claim {}",
    "bench": "bench accuracy -o {}",
    "compile": "compile model.onnx -c samples.npz -o {}",
}


@pytest.mark.parametrize(
    ("command", "path"),
    [(command, path) for command in WRITING for path in TAKEN if (command, path) != ("bench", "nowhere")],  # it takes minutes
)
def test_output_that_cannot_be_written_is_refused_and_nothing_is_touched(here, command, path):
    place, reason = TAKEN[path]
    if (command, path) == ("compile", "a_folder"):
        place, reason = "cache", "no saved program"
    before = {name: Path(name).stat().st_mtime_ns for name in _listing()}
    shown = runner.invoke(app, [*WRITING[command].format(place).split(), "--json"])
    said = json.loads(shown.stdout)
    assert (shown.exit_code, said["error"]) == (2, "InvalidInput")
    assert place in said["thing"]
    assert reason in said["reason"]
    after = {name: Path(name).stat().st_mtime_ns for name in _listing()}
    assert {name for name in before if name not in after or (Path(name).is_file() and before[name] != after[name])} == set()


def test_output_in_a_folder_of_others_is_refused_before_the_work(here, monkeypatch):
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    monkeypatch.setattr("verifiable_ml.api.setup", lambda *_, **__: pytest.fail("the work was done"))
    shown = runner.invoke(app, [*SETUP.split(), "--json"])
    assert "not yours to write in" in json.loads(shown.stdout)["reason"]


def test_output_of_the_same_kind_is_replaced(here):
    before = Path("p.proof").read_bytes()
    assert runner.invoke(app, ["prove", "p.vml", "-i", "x.npy"]).exit_code == 0
    assert Path("p.proof").read_bytes() != before
    shown = runner.invoke(app, ["prove", "p.vml", "-i", "x.npy", "-o", "one", "--claim", "one", "--json"])
    assert "both" in json.loads(shown.stdout)["reason"]


def test_output_of_a_program_named_by_a_dot_lies_beside_it(here, monkeypatch):
    monkeypatch.chdir("p.vml")
    assert runner.invoke(app, ["setup", "."]).exit_code == 0
    assert files.beside(".", ".vk") == here / "p.vk"


# ---- a disk without room ---------------------------------------------------------------------------------------------


@pytest.fixture
def full_disk(tmp_path) -> Iterator[Path]:
    """A file system of 64 kB. Only root can mount one."""
    place = tmp_path / "disk"
    place.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "none", place], capture_output=True).returncode:
        pytest.skip("mounting takes root")
    yield place
    subprocess.run(["umount", place], check=True)


FULL = {
    "program": ("compile zoo:lenet5-mnist -o {}/new.vml", ""),
    "key": ("setup p.vml -o {}/new.vk", ""),
    "cache": ("setup p.vml -o new.vk", "{}/cache"),
}


@pytest.mark.parametrize("what", FULL)
def test_full_disk_exits_5_and_leaves_nothing_on_it(here, full_disk, monkeypatch, what):
    words, cache = FULL[what]
    (full_disk / "theirs").write_bytes(bytes(60_000))
    if cache:
        monkeypatch.setenv("VML_CACHE_DIR", cache.format(full_disk))
    shown = runner.invoke(app, [*words.format(full_disk).split(), "--json"])
    said = json.loads(shown.stdout)
    assert (shown.exit_code, said["error"]) == (5, "ResourceExceeded"), said
    assert "No space left" in said["reason"]
    assert [path.name for path in full_disk.rglob("*") if path.is_file()] == ["theirs"]
    assert not Path("new.vk").exists()


@pytest.mark.parametrize("words", ["setup p.vml -o /dev/full", "run p.vml -i x.npy --claim /dev/full"])
def test_full_device_exits_5_and_stays_a_device(here, words):
    shown = runner.invoke(app, [*words.split(), "--json"])
    said = json.loads(shown.stdout)
    assert (shown.exit_code, said["error"], said["thing"]) == (5, "ResourceExceeded", "`/dev/full`")
    assert Path("/dev/full").is_char_device()


# ---- chains ----------------------------------------------------------------------------------------------------------


@pytest.fixture
def node() -> Iterator[str]:
    """A node of chain 1 that knows nothing else."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            answer = "0x1" if asked["method"] == "eth_chainId" else []
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps({"jsonrpc": "2.0", "id": asked["id"], "result": answer}).encode())

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as serving:
        threading.Thread(target=serving.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{serving.server_address[1]}"
        serving.shutdown()


@pytest.mark.parametrize("command", [VERIFY, "deploy p.vml"])
def test_node_that_nobody_serves_is_unreachable(here, command):
    with pytest.raises(errors.Unreachable):
        connect("http://127.0.0.1:9")
    shown = runner.invoke(app, [*command.split(), "--chain", "http://127.0.0.1:9", "--json"])
    said = json.loads(shown.stdout)
    assert (shown.exit_code, said["error"]) == (4, "Unreachable")
    assert "127.0.0.1:9" in said["thing"]


@pytest.mark.parametrize("command", [VERIFY, "deploy p.vml"])
def test_node_of_another_chain_is_refused_and_both_ids_are_named(here, node, command, monkeypatch):
    with pytest.raises(errors.WrongChain):
        connect(node, chain_id=5)
    monkeypatch.setattr("verifiable_ml.api.setup", lambda *_, **__: pytest.fail("keys were made for a chain that is another"))
    shown = runner.invoke(app, [*command.split(), "--chain", node, "--chain-id", "5", "--json"])
    said = json.loads(shown.stdout)
    assert (shown.exit_code, said["error"]) == (4, "WrongChain")
    assert "chain 1" in said["reason"]
    assert "5" in said["reason"]
