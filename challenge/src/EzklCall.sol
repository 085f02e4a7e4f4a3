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
        bytes memory question = reusable
            ? abi.encodeCall(IEzklReusableVerifier.verifyProof, (proof, instances, pinned.vka))
            : abi.encodeCall(IEzklVerifier.verifyProof, (proof, instances));
        uint256 before = gasleft();
        (bool answered, uint256 size, bytes32[3] memory words) = _ask(pinned.verifier, question);
        if (!answered) {
            // A callee that ran dry leaves a 64th. Without this, a stingy caller could make a true proof look false.
            if (gasleft() < before / 32) revert OutOfGas();
            revert ProofRejected();
        }
        // INVARIANT: an account without code, or another contract at this address, does not answer like this.
        if (words[0] != bytes32(uint256(1)) || size != (reusable ? _reusableSize(pinned, words, instances) : 32)) {
            revert StrangeAnswer();
        }
    }

    /// @dev Reads three words at most, however much is answered; words that are not answered are zero.
    function _ask(address verifier, bytes memory question)
        private
        view
        returns (bool answered, uint256 size, bytes32[3] memory words)
    {
        assembly ("memory-safe") {
            answered := staticcall(gas(), verifier, add(question, 32), mload(question), words, 96)
            size := returndatasize()
        }
    }

    /// @dev Word 1 is the key's digest, word 2 the length in bytes of what follows: instances, those that are digests left out.
    function _reusableSize(Deployment memory pinned, bytes32[3] memory words, uint256[] memory instances)
        private
        pure
        returns (uint256)
    {
        uint256 rescaled = uint256(words[2]);
        bool plausible = words[1] == pinned.vkDigest && rescaled <= instances.length * 32;
        return plausible ? 96 + rescaled : type(uint256).max;
    }
}
