// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Merkle} from "../Merkle.sol";

/// @notice Where a walk stands in its round.
/// @param height Of the children that the round reveals.
/// @param levels From these up to the picked child whose children they are.
/// @param climb From that one up to the node proved before: the levels of the round before; 0 in the first.
/// @param last Whether the walk ends with this round.
/// @param children How many there are to reveal: those that exist.
struct Stand {
    uint256 height;
    uint256 levels;
    uint256 climb;
    bool last;
    uint256 children;
}

/// @title Rule 21: rounds and levels of the walks, from integers alone.
library Walk {
    /// @notice Height of a block: 4 leaves.
    uint256 internal constant BLOCK_HEIGHT = 2;
    /// @notice Bytes of a block, unless it is the last one.
    uint256 internal constant BLOCK_BYTES = Merkle.LEAF_BYTES << BLOCK_HEIGHT;

    /// @notice The stand of a round: as few rounds as there can be, as even as they can be, longer ones first.
    /// @param entries Tensors of the trace, or leaves of the tensor.
    /// @param bottom Height at which the walk ends; less than the depth of the tree.
    /// @param round From 0, and less than there are.
    /// @param most d: levels of a round at most.
    /// @param parent The picked node, counted from the left end of its level; it exists.
    function stand(uint256 entries, uint256 bottom, uint256 round, uint256 most, uint256 parent)
        internal
        pure
        returns (Stand memory here)
    {
        unchecked {
            // INVARIANT: bottom < depth <= 64 and 1 <= most, so nothing here leaves 0 to 64.
            uint256 levels = Merkle.depth(entries) - bottom;
            uint256 rounds = (levels + most - 1) / most;
            (uint256 each, uint256 longer) = (levels / rounds, levels % rounds);
            bool isLonger = round < longer;
            here.levels = isLonger ? each + 1 : each;
            if (round > 0) here.climb = round <= longer ? each + 1 : each;
            here.height = bottom + levels - round * each - (isLonger ? round : longer) - here.levels;
            here.last = round + 1 == rounds;
            here.children = existing(entries, here.height, here.levels, parent);
        }
    }

    /// @notice The levels of a walk's last round, which is one of the shortest.
    function lastLevels(uint256 entries, uint256 bottom, uint256 most) internal pure returns (uint256) {
        unchecked {
            // INVARIANT: as above.
            uint256 levels = Merkle.depth(entries) - bottom;
            return levels / ((levels + most - 1) / most);
        }
    }

    /// @dev How many of the children of `parent` exist: `levels` below it, at `height`.
    function existing(uint256 entries, uint256 height, uint256 levels, uint256 parent) private pure returns (uint256) {
        unchecked {
            // INVARIANT: entries >= 1, and an existing parent has at least one existing child.
            uint256 wanted = ((entries - 1) >> height) + 1 - (parent << levels);
            return wanted > 1 << levels ? 1 << levels : wanted;
        }
    }
}
