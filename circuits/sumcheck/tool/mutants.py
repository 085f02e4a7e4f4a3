# SPDX-License-Identifier: MIT OR Apache-2.0
"""Every check of both verifiers of native proofs is switched off in turn, and some test must notice.

    python circuits/sumcheck/tool/mutants.py check      # the tables match the code
    python circuits/sumcheck/tool/mutants.py rust       # runs what has not been run yet, one after another: half an hour
    python circuits/sumcheck/tool/mutants.py solidity   # the same
    python circuits/sumcheck/tool/mutants.py write      # docs/mutants.md

All mutants of a language are compiled into one copy of the tree, each asleep until it is named: in Rust by the environment, in
Solidity by a word behind the call's arguments. Results are kept beside the tables, so a run that was ended goes on.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
HERE = Path(__file__).parent
COPY = ROOT / ".mutants"
PAGE = ROOT / "docs" / "mutants.md"
LANGUAGES = ("rust", "solidity")
LIMIT = 120
"""Seconds: a test that takes longer has noticed."""
ADDED = re.compile("«(.*?)»", re.DOTALL)


@dataclass(frozen=True)
class Mutant:
    """One check, and what is added to its text to switch it off."""

    file: str
    check: str
    marked: str
    number: int

    @property
    def text(self) -> str:
        """As it stands in the code."""
        return ADDED.sub("", self.marked)

    def replaced(self, off: Callable[[int, bool], str]) -> str:
        """What stands there instead; `off` says whether a mutant is awake, by its number, in Solidity or in assembly."""

        def awake(word: re.Match[str]) -> str:
            return off(self.number, bool(word[1]))

        return ADDED.sub(lambda added: re.sub(r"\bOFF\b(\(\))?", awake, added[1]), self.marked)

    @property
    def name(self) -> str:
        """Crate or contract, and check."""
        return f"{Path(self.file).parts[-3 if self.file.endswith('.rs') else -1].removesuffix('.sol')}: {self.check}"


def table(language: str) -> tuple[Mutant, ...]:
    """Of `checks/rust.txt` or `checks/solidity.txt`."""
    found: list[Mutant] = []
    file = check = ""
    for line in (HERE / "checks" / f"{language}.txt").read_text().splitlines():
        if line.startswith("    "):
            if check:
                found.append(Mutant(file, check, line[4:], len(found) + 1))
                check = ""
            else:
                last = found.pop()
                found.append(Mutant(last.file, last.check, f"{last.marked}\n{line[4:]}", last.number))
        elif line.startswith("  "):
            check = line[2:]
        elif line and not line.startswith("#"):
            file = line
    return tuple(found)


def stale(mutants: tuple[Mutant, ...]) -> Iterator[str]:
    """What no longer matches the code, in words."""
    sources = {each.file: (ROOT / each.file).read_text() for each in mutants}
    for each in mutants:
        if (count := sources[each.file].count(each.text)) != 1:
            yield f"{each.file}: `{each.text}` stands there {count} times ({each.check})"


# ---- the copies ---------------------------------------------------------------------------------------------------------


def mutated(mutants: tuple[Mutant, ...], off: Callable[[int, bool], str]) -> dict[str, bytes]:
    """The files that git knows, with all mutants in them. Of two in one line the second one's text must survive the first."""
    names = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
    files = {name: (ROOT / name).read_bytes() for name in names if (ROOT / name).is_file()}
    for each in mutants:
        source = files[each.file].decode()
        assert source.count(each.text) == 1, f"two mutants of one text: {each}"
        files[each.file] = source.replace(each.text, each.replaced(off)).encode()
    return files


def lay(target: Path, files: dict[str, bytes]) -> None:
    """Writes what differs, so that no more is compiled than has to be."""
    for name, content in files.items():
        path = target / name
        if not path.exists() or path.read_bytes() != content:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            shutil.copymode(ROOT / name, path)


ASLEEP = """
/// Whether this mutant is awake.
pub fn mutant(number: u32) -> bool {
    static AWAKE: std::sync::LazyLock<Option<u32>> =
        std::sync::LazyLock::new(|| std::env::var("MUTANT").ok().and_then(|number| number.parse().ok()));
    *AWAKE == Some(number)
}
"""


def rust() -> Callable[[Mutant], str | None]:
    """Compiles all; the returned function runs one, and names the test that noticed."""
    target, library = COPY / "rust", "circuits/sumcheck/crates/field/src/lib.rs"
    files = mutated(table("rust"), lambda number, _: f"field::mutant({number})")
    files[library] = files[library].replace(b"field::mutant", b"mutant") + ASLEEP.encode()
    lay(target, files)
    packages = ("forgeries", "transcript", "sumcheck", "logup", "commitment", "relation", "compiler", "field")
    command = ["cargo", "test", "--locked", "--no-run", "--message-format=json", *(word for p in packages for word in ("-p", p))]
    own = {**os.environ, "CARGO_TARGET_DIR": str(COPY / "target")}  # in a shared one two trees' packages have one name
    built = subprocess.run(
        command, cwd=target / "circuits/sumcheck", stdout=subprocess.PIPE, text=True, check=True, env=own
    ).stdout
    messages = [message for line in built.splitlines() if (message := json.loads(line)).get("executable")]
    order = ("transcript", "keys", "rejected", "meanings", "complete", "bytes")

    def rank(message: dict) -> int:
        name = message["target"]["name"]
        return order.index(name) if name in order and "forgeries" in message["package_id"] else len(order)

    tests = [
        (each["executable"], Path(each["manifest_path"]).parent) for each in sorted(messages, key=rank) if each["profile"]["test"]
    ]

    def run(mutant: Mutant) -> str | None:
        for executable, folder in tests:
            if noticed := failed_rust([executable], folder, {"MUTANT": str(mutant.number), "RUST_BACKTRACE": "0"}):
                return noticed
        return None

    assert run(Mutant("", "", "", 0)) is None, "the tests fail without a mutant"
    return run


def failed_rust(command: list[str], folder: Path, variables: dict[str, str]) -> str | None:
    """The first failed test of an executable."""
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, env={**os.environ, **variables}, timeout=LIMIT)
    except subprocess.TimeoutExpired:
        return f"{Path(command[0]).stem.rpartition('-')[0]} does not end"
    if done.returncode == 0:
        return None
    failed = re.findall(r"^test (\S+) \.\.\. FAILED", done.stdout, re.MULTILINE)
    return f"{Path(command[0]).stem.rpartition('-')[0]}::{failed[0] if failed else 'ended'}"


AWAKE = "eq(calldataload(sub(calldatasize(), 32)), {number})"
FUNCTION = """
function mutant(uint256 own) pure returns (bool off) {
    assembly ("memory-safe") {
        codecopy(0, sub(codesize(), 32), 32) // a constructor's arguments are behind its code
        off := or(eq(calldataload(sub(calldatasize(), 32)), own), eq(mload(0), own))
    }
}
"""
BEHIND = 'int(__import__("os").environ.get("MUTANT", "0")).to_bytes(32, "big")'
"""A word that no verifier reads."""
CALLS = {
    "tests/differential/sumcheck_verifier.py": (
        "given.context, words_of(given.statement), words_of(given.proof)\n        )",
        f" + {BEHIND}",
    ),
    "tests/differential/sumcheck_chain.py": ("calldata = self._selectors[function] + record_of(*arguments)", f" + {BEHIND}"),
    "verifiable_ml/chain/contract.py": (
        "return encode(get_abi_input_types(typed), arguments)",
        f" + {BEHIND}",
    ),
    "challenge/src/sumcheck/PlanRegistry.sol": (
        "_statement(pin, inputs, outputs), proof.length / 32), proof",
        ", msg.data[msg.data.length - 32:]",
    ),
}


def solidity() -> Callable[[Mutant], str | None]:
    """As `rust`. Needs `make setup` done: node_modules, the virtual environment, the native prover."""
    target, mutants = COPY / "solidity", table("solidity")
    files = mutated(mutants, lambda number, assembly: AWAKE.format(number=number) if assembly else f"mutant({number})")
    for file in {each.file for each in mutants}:
        files[file] += FUNCTION.encode()
    for file, (call, more) in CALLS.items():
        assert files[file].count(call.encode()) == 1, f"{file} calls contracts in another way"
        files[file] = files[file].replace(call.encode(), (call + more).encode())
    proofs = "tests/attacks/test_sumcheck_forgeries.py"
    files[proofs] = files[proofs].replace(FORGE.encode(), f'["cat", "{target / "forgeries.json"}"]'.encode())
    lay(target, {name: content for name, content in files.items() if not name.startswith("circuits/")})
    made = subprocess.run(json.loads(FORGE), cwd=ROOT / "circuits/sumcheck", stdout=subprocess.PIPE, check=True).stdout
    (target / "forgeries.json").write_bytes(made)
    for linked in ("node_modules", "circuits"):
        if not (target / linked).is_symlink():
            (target / linked).symlink_to(ROOT / linked)
    forge = target / "node_modules/@foundry-rs/forge-linux-amd64/bin/forge"
    subprocess.run([forge, "build", "--quiet"], cwd=target / "challenge", check=True)
    subprocess.run([sys.executable, "challenge/tool/build_artifacts.py"], cwd=target, check=True, env=python_path(target))
    of_claims = ["tests/evm/test_native.py", "tests/evm/test_native_batch.py", "tests/attacks/test_sumcheck_batch.py"]
    of_proofs = ["tests/attacks/test_sumcheck_forgeries.py", *(f"tests/differential/test_sumcheck_{part}.py" for part in PARTS)]

    def run(mutant: Mutant) -> str | None:
        files = of_claims if mutant.file.endswith(CLAIMS) else [*of_proofs, of_claims[0]]
        command = [sys.executable, "-m", "pytest", *QUICK, *files]
        variables = {**python_path(target), "MUTANT": str(mutant.number)}
        done = subprocess.run(command, cwd=target, capture_output=True, text=True, env=variables)
        failed = re.findall(r"^(?:FAILED|ERROR) (\S+)", done.stdout, re.MULTILINE)
        assert done.returncode in (0, 1), done.stdout
        return failed[0].rpartition("/")[2] if failed else None

    for file in ("", "Statement.sol"):
        assert (noticed := run(Mutant(file, "", "", 0))) is None, f"{noticed} fails without a mutant"
    return run


PARTS = ("proofs", "parts", "machine")
CLAIMS = "Statement.sol", "PlanRegistry.sol", "SumcheckClaimVerifier.sol", "SumcheckBatchVerifier.sol"
"""What makes a proof's statement out of claims."""
QUICK = ("-x", "-q", "-m", "not slow", "-k", "not gas and not by_rust and not shipped", "-p", "no:cacheprovider")
FORGE = '["cargo", "run", "--quiet", "--locked", "-p", "forgeries"]'
"""Once for all mutants: it takes most of the time."""


def python_path(target: Path) -> dict[str, str]:
    """The environment in which the copy is imported."""
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([*filter(None, [os.environ.get("PYTHONPATH")]), str(target), str(target / "tests")]),
    }


# ---- results ------------------------------------------------------------------------------------------------------------


def known(language: str) -> dict[str, str]:
    """By mutant: the test that noticed, "" if none did."""
    path = HERE / "checks" / f"{language}.json"
    return json.loads(path.read_text()) if path.exists() else {}


def run(language: str, again: set[str]) -> None:
    """Those of a language that have no result yet, and those whose names are given."""
    results, mutants = known(language), table(language)
    results = {each.name: results[each.name] for each in mutants if each.name in results and each.name not in again}
    left = [each for each in mutants if each.name not in results]
    judge = {"rust": rust, "solidity": solidity}[language]() if left else None
    for mutant in left:
        results[mutant.name] = judge(mutant) or ""
        print(mutant.name, "-", results[mutant.name] or "SURVIVED", flush=True)
        (HERE / "checks" / f"{language}.json").write_text(json.dumps(results, indent=1, ensure_ascii=False) + "\n")


def write() -> None:
    """The page: what each mutant was noticed by."""
    reasons = survivors()
    text = [HEAD]
    for language in LANGUAGES:
        results = known(language)
        rows = [(each, results.get(each.name)) for each in table(language)]
        noticed = sum(bool(found) for _, found in rows)
        text.append(f"\n## {language.capitalize()}: {noticed} of {len(rows)} are noticed\n")
        text.append("| in | not checked | noticed by |\n|---|---|---|")
        text += [
            f"| {each.name.partition(': ')[0]} | {each.check} | {told(found, reasons.get(each.name))} |" for each, found in rows
        ]
    PAGE.write_text("\n".join(text) + "\n")


def told(found: str | None, reason: str | None) -> str:
    """A cell of the page."""
    if found:
        return f"`{found}`"
    return f"nobody: {reason}" if reason else "**nobody**" if found == "" else "not run yet"


def survivors() -> dict[str, str]:
    """By mutant: why it does the same as the code, so that nobody can notice."""
    lines = [line for line in (HERE / "checks" / "survivors.txt").read_text().splitlines() if line and not line.startswith("#")]
    return {name: reason.strip() for name, reason in zip(lines[::2], lines[1::2], strict=True)}


HEAD = """# Checks that are switched off

Each check of the verifiers of native proofs is switched off in turn, alone; this says which test notices first. Made by
`make mutants` from the tables in `circuits/sumcheck/tool/checks`. Tests in Rust are those of the workspace `circuits/sumcheck`,
to which the package `tests/attacks/sumcheck` belongs; the others are in `tests/`."""


def check() -> int:
    """The exit code."""
    found = [line for language in LANGUAGES for line in stale(table(language))]
    print("\n".join(found) or "every text stands where its table says")
    return bool(found)


def main(arguments: list[str]) -> int:
    """The exit code."""
    match arguments:
        case ["check"]:
            return check()
        case ["write"]:
            write()
        case [language, *again] if language in LANGUAGES:
            run(language, set(again))
        case _:
            print(__doc__)
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
