# SPDX-License-Identifier: MIT OR Apache-2.0
"""A plan's contract as text: functions of assembly, calls between them, and what is too much for one contract in others."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from verifiable_ml.bench.generator.code import P, Plan
from verifiable_ml.bench.generator.expressions import Writer
from verifiable_ml.bench.generator.steps import Steps

FRAME = 0x80
"""Where memory begins that Solidity leaves alone."""
STATEMENTS = 100
"""Of a function."""
ROOM, PART = 13_000, 24_000
"""Bytes of assembly, estimated, beside the libraries, and in a contract of assembly alone. EIP-170 allows 24,576."""

ADDRESS = re.compile(r"&(-?\d+)")
STORE, COPY = re.compile(r"mstore\(&(-?\d+),"), re.compile(r"mcopy\(&(-?\d+), &(-?\d+), (\d+)\)")
Functions = list[tuple[str, ...]]
"""Of assembly, their statements."""

SOURCE = """// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

{imports}

contract GeneratedVerifier is GeneratedBase {{
{parts}    function verify(bytes32 context, uint256[] calldata statement, uint256[] calldata proof) external view {{
        if (statement.length != {statement} || proof.length != {proof}) revert WrongLength();
        uint256 s;
        uint256 w;
        assembly ("memory-safe") {{
            s := statement.offset
            w := proof.offset
            mstore(0x40, {end:#x})
        }}
        _verify(_begin({digest:#x}, context, {batch}), s, w);
    }}

    function _verify(bytes32 state, uint256 s, uint256 w) private view {{
        Sum memory sum;
        {body}
    }}

{functions}}}
"""
FUNCTION = """    function _a{name}() private pure {{
        assembly ("memory-safe") {{
            let p := {p:#x}
            let pp := {pp:#x} // 2 p + 1
            {lines}
        }}
    }}

"""
CONTRACT = """
contract GeneratedPart{name} {{
    fallback() external {{
        assembly ("memory-safe") {{
            calldatacopy({start:#x}, 0, calldatasize())
        }}
        {calls}
        assembly ("memory-safe") {{
            return({d:#x}, {size:#x})
        }}
    }}

{functions}}}
"""
LIBRARIES = {
    "Curve": "Sum",
    "IndexTable": "Axis",
    "LookupRounds": "LookupRounds",
    "Multilinear": "Multilinear",
    "PublicValue": "PublicValue",
    "Transcript": "Transcript",
}


@dataclass(frozen=True)
class Generated:
    """A contract GeneratedVerifier; its constructor takes the addresses of `parts` contracts GeneratedPart0, GeneratedPart1, …"""

    source: str
    parts: int


def generate(plan: Plan) -> Generated:
    """From a plan that circuits/sumcheck made. It imports ./GeneratedBase.sol and the libraries beside it."""
    steps = Steps(plan)
    pieces = list(_pieces(Writer(steps).parts()))
    text = Text(_places(steps))
    apart = _apart(pieces)
    for place, piece in enumerate(pieces):
        text.add(piece, place in apart)
    imports = [f'import {{{name}}} from "../../src/sumcheck/{file}.sol";' for file, name in LIBRARIES.items()]
    source = SOURCE.format(
        imports="\n".join(['import {GeneratedBase} from "./GeneratedBase.sol";', *imports]),
        parts=_constructor(len(text.contracts)),
        statement=plan.words[0],
        proof=plan.words[1],
        end=FRAME + 32 * len(text.places),
        digest=plan.digest,
        batch=plan.batch,
        body="\n        ".join(text.body),
        functions="".join(text.functions),
    )
    return Generated(source + "".join(text.contracts), len(text.contracts))


@dataclass
class Text:
    """places: addresses of registers. body: statements of the main contract, which has `functions`; beside it are `contracts`."""

    places: dict[int, int]
    body: list[str] = field(default_factory=list)
    functions: list[str] = field(default_factory=list)
    contracts: list[str] = field(default_factory=list)

    def add(self, piece: Functions | str, apart: bool) -> None:
        """What comes next: a statement, or functions of the main contract or of another."""
        if isinstance(piece, str):
            self.body.append(self._placed(piece))
        elif apart:
            self._add_contract(piece)
        else:
            before = len(self.functions)
            self.body += self._calls(before, piece)
            self.functions += self._written(before, piece)

    def _add_contract(self, piece: Functions) -> None:
        """It is given memory from the first word that it uses to the last, and gives back from the first that it writes on."""
        text, name = "\n".join(line for lines in piece for line in lines), len(self.contracts)
        used, written = self._addresses(ADDRESS.findall(text)), self._addresses(STORE.findall(text))
        for d, a, size in COPY.findall(text):
            ends = [address + int(size) - 32 for address in self._addresses((d, a))]
            used += ends
            written += [self.places[int(d)], ends[0]]
        start, first, end = min(used), min(written), max(written) + 32
        calls, functions = "\n        ".join(self._calls(0, piece)), "".join(self._written(0, piece))
        self.contracts.append(
            CONTRACT.format(name=name, start=start, calls=calls, d=first, size=end - first, functions=functions)
        )
        self.body.append(f"_ask(PART{name}, {start:#x}, {max(used) + 32 - start:#x}, {first:#x});")

    def _calls(self, first: int, piece: Functions) -> list[str]:
        return [f"_a{first + place}();" for place in range(len(piece))]

    def _written(self, first: int, piece: Functions) -> list[str]:
        texts = (self._placed("\n            ".join(lines)) for lines in piece)
        return [FUNCTION.format(name=first + place, p=P, pp=2 * P + 1, lines=text) for place, text in enumerate(texts)]

    def _addresses(self, registers: Iterable[str]) -> list[int]:
        return [self.places[int(register)] for register in registers]

    def _placed(self, text: str) -> str:
        return ADDRESS.sub(lambda found: f"{self.places[int(found[1])]:#x}", text)


def _pieces(parts: Iterator[tuple[str, ...] | str]) -> Iterator[Functions | str]:
    """Functions that follow one another, as many as a contract holds, and the statements between."""
    functions, lines = Functions(), list[str]()
    for part in (*parts, ""):
        if isinstance(part, tuple):
            lines.extend(part)
        if lines and (isinstance(part, str) or len(lines) > STATEMENTS):
            if functions and _size((*functions, tuple(lines))) > PART:
                yield functions
                functions = []
            functions.append(tuple(lines))
            lines = []
        if isinstance(part, str):
            yield from filter(None, (functions, part))
            functions = []


def _apart(pieces: Sequence[Functions | str]) -> set[int]:
    """Places of those that find no room in the main contract: the largest."""
    sizes = {place: _size(piece) for place, piece in enumerate(pieces) if not isinstance(piece, str)}
    apart = set[int]()
    for place in sorted(sizes, key=lambda place: -sizes[place]):
        if sum(sizes[other] for other in sizes.keys() - apart) <= ROOM:
            break
        apart.add(place)
    return apart


def _size(functions: Sequence[tuple[str, ...]]) -> int:
    """Bytes of code, rather too many: three of an address, of a number its own, and one of each other word."""
    text = " ".join(line for lines in functions for line in lines)
    addresses, numbers = ADDRESS.findall(text), re.findall(r"\b0x[0-9a-f]+", text)
    return 3 * len(addresses) + sum(len(number) // 2 for number in numbers) + len(re.findall(r"\w+\(|\b(?:p|pp|v|k|\d+)\b", text))


def _constructor(parts: int) -> str:
    if not parts:
        return ""
    fields = "".join(f"    address private immutable PART{k};\n" for k in range(parts))
    sets = "".join(f"        PART{k} = part{k};\n" for k in range(parts))
    return f"{fields}\n    constructor({', '.join(f'address part{k}' for k in range(parts))}) {{\n{sets}    }}\n\n"


def _places(steps: Steps) -> dict[int, int]:
    """Addresses: of the plan's registers in its order; of others near those that they belong to, but between no two of a span."""
    first = {reg: reg for reg in steps.kept}
    for start, count in sorted(steps.spans):
        for reg in range(start + 1, start + count):
            first[reg] = min(first[reg], first[start])
    order = sorted(steps.kept, key=lambda reg: (steps.homes[reg] + 0.5 if reg in steps.homes else first[reg], reg))
    return {reg: FRAME + 32 * place for place, reg in enumerate(order)}
