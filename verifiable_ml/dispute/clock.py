# SPDX-License-Identifier: MIT OR Apache-2.0
"""The chess clock of a game (rule 41), how long a game lasts at most (rule 42), and the profiles (rule 44). Times in seconds."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

GWEI = 10**9


class Side(IntEnum):
    """Who plays: the proposer of an assertion, or the challenger of this game."""

    PROPOSER = 0
    CHALLENGER = 1

    @property
    def other(self) -> Side:
        """The opponent."""
        return Side(1 - self)


@dataclass(frozen=True, slots=True)
class Profile:
    """One row of rule 44."""

    name: str
    window: int
    """W: how long an assertion can be challenged."""
    time: int
    """T: what a side has on its clock at the start."""
    extension: int
    """E: the least time for a pick, or for a reveal of a walk."""
    step_extension: int
    """Es: the least time for a block, a naming, partials, the pick of an interval, a step. E <= Es <= T / 2."""
    cap: int
    """The highest price of gas that bonds are counted in, wei."""
    floor: int
    """The lowest one, wei."""


HOUR = 3600
PROFILES = (
    Profile("L1", 24 * HOUR, 24 * HOUR, HOUR, 2 * HOUR, 100 * GWEI, GWEI),
    Profile("L2", 26 * HOUR, 26 * HOUR, HOUR // 2, HOUR, GWEI, GWEI // 100),
    Profile("local", 120, 60, 10, 20, GWEI, GWEI),
)
"""By number. L2 is longer than 24 hours of forced inclusion; local is a demonstration's."""


@dataclass(frozen=True, slots=True)
class Clock:
    """Both sides' time. A turn that begins at `start` ends at the deadline: at every second one of move and timeout is legal."""

    proposer: int
    """What the proposer had left when its last turn ended, or T."""
    challenger: int
    side: Side
    """Whose turn it is."""
    start: int
    """When the turn began, unix time."""
    extension: int
    """X: the least length of this turn."""

    @classmethod
    def started(cls, profile: Profile, now: int) -> Clock:
        """A game begins with the proposer's reveal."""
        return cls(profile.time, profile.time, Side.PROPOSER, now, profile.extension)

    @property
    def rest(self) -> int:
        """Of the side whose turn it is."""
        return self.challenger if self.side is Side.CHALLENGER else self.proposer

    @property
    def deadline(self) -> int:
        """The first second in which the side can no longer move: start + max(rest, X)."""
        return self.start + max(self.rest, self.extension)

    def moved(self, now: int, extension: int) -> Clock:
        """The side has moved at `now` < deadline and keeps what is left; the other one's turn begins."""
        left = self.deadline - now
        if self.side is Side.PROPOSER:
            return Clock(left, self.challenger, Side.CHALLENGER, now, extension)
        return Clock(self.proposer, left, Side.PROPOSER, now, extension)


def longest(profile: Profile, rounds: int, levels: int) -> int:
    """Rule 42: within this a game has ended, however both sides play. R rounds of both walks, L levels of partials."""
    return 2 * longest_against_prompt(profile, rounds, levels)


def longest_against_prompt(profile: Profile, rounds: int, levels: int) -> int:
    """Rule 42, if one side answers at once: T + R * E + (L + 1) * Es."""
    return profile.time + rounds * profile.extension + (levels + 1) * profile.step_extension
