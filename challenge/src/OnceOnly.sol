// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

/// @title For consumers: each input commitment counts once.
/// @notice An ezkl proof carries no request and no sender, so whoever sees one can send it again. A consumer of *hidden* inputs
/// must therefore accept each salted Poseidon digest once (rule 9). Whoever may spend can also spend before somebody else: a
/// hidden input can be committed to again with another salt, a public one cannot.
abstract contract OnceOnly {
    mapping(bytes32 inputsId => bool) private _spent;

    /// @notice This input commitment was accepted before.
    error AlreadySpent(bytes32 inputsId);

    /// @notice Whether a list of input commitments was accepted before.
    function spent(bytes32 inputsId) public view returns (bool) {
        return _spent[inputsId];
    }

    /// @dev INVARIANT: never reset, hence at most one success for each `inputsId`.
    function _spend(bytes32 inputsId) internal {
        if (_spent[inputsId]) revert AlreadySpent(inputsId);
        _spent[inputsId] = true;
    }
}
