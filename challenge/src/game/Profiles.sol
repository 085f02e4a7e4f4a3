// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

/// @notice Times in seconds, prices of gas in wei: a row of rule 44.
/// @param window W: how long posting stays open, and how long an assertion can be challenged.
/// @param clock T: what each side of a game has to think.
/// @param extension E: what a turn lasts at least before a pick or a reveal.
/// @param longExtension Es: what a turn lasts at least before a move with evidence.
/// @param cap Greatest price at which bonds are counted.
/// @param floor Least price.
struct Profile {
    uint32 window;
    uint32 clock;
    uint32 extension;
    uint32 longExtension;
    uint64 cap;
    uint64 floor;
}

/// @title Rule 44: how long things take, and at which price of gas bonds are counted.
library Profiles {
    /// @notice No such row.
    error UnknownProfile(uint8 profile);

    /// @notice The row of a profile: 0 L1, 1 L2, 2 local.
    function row(uint8 profile) internal pure returns (Profile memory) {
        if (profile == 0) return Profile(24 hours, 24 hours, 1 hours, 2 hours, 100 gwei, 1 gwei);
        // INVARIANT: W and T exceed the 24 hours in which a sequencer can keep a transaction out.
        if (profile == 1) return Profile(26 hours, 26 hours, 30 minutes, 1 hours, 1 gwei, 0.01 gwei);
        if (profile == 2) return Profile(120 seconds, 60 seconds, 10 seconds, 20 seconds, 1 gwei, 1 gwei);
        revert UnknownProfile(profile);
    }
}
