// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Deployment} from "./Deployment.sol";
import {IEzklReusableVerifier} from "./IEzklReusableVerifier.sol";
import {IEzklVerifier} from "./IEzklVerifier.sol";

/// @title One call to an ezkl verifier, its answer read without trust.
library EzklCall {
    /// @notice The proof is false for these public values under the pinned key.
    error ProofRejected();
    /// @notice The call was given too little gas to tell.
    error OutOfGas();
    /// @notice The verifier answered something that no version we know answers.
    error StrangeAnswer();

    /// @notice Reverts unless the verifier accepts.
    /// @dev Both verifiers only compute, so a static call is enough and nothing can be re-entered.
    function check(Deployment memory pinned, bytes calldata proof, uint256[] memory instances) internal view {
        bool reusable = pinned.vka.length > 0;
        bytes memory call = reusable
            ? abi.encodeCall(IEzklReusableVerifier.verifyProof, (proof, instances, pinned.vka))
            : abi.encodeCall(IEzklVerifier.verifyProof, (proof, instances));
        uint256 before = gasleft();
        (bool answered, bytes memory answer) = pinned.verifier.staticcall(call);
        if (!answered) {
            // A callee that ran dry leaves a 64th. Without this, a stingy caller could make a true proof look false.
            if (gasleft() < before / 32) revert OutOfGas();
            revert ProofRejected();
        }
        if (!_accepts(answer, reusable ? pinned.vkDigest : bytes32(0), instances.length, reusable)) {
            revert StrangeAnswer();
        }
    }

    /// @dev INVARIANT: an account without code, or another contract at this address, does not answer like this.
    function _accepts(bytes memory answer, bytes32 digest, uint256 instances, bool reusable)
        private
        pure
        returns (bool)
    {
        if (_word(answer, 0) != bytes32(uint256(1))) return false;
        if (!reusable) return answer.length == 32;
        // Word 2 is a length in bytes; digests among the instances are left out of it, so it may be shorter than they are.
        uint256 rescaled = uint256(_word(answer, 2));
        return _word(answer, 1) == digest && rescaled <= instances * 32 && answer.length == 96 + rescaled;
    }

    function _word(bytes memory data, uint256 index) private pure returns (bytes32 word) {
        if (data.length < 32 * (index + 1)) return 0;
        assembly ("memory-safe") {
            word := mload(add(add(data, 32), mul(index, 32)))
        }
    }
}
