// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {IProofVerifier} from "./IProofVerifier.sol";
import {IWay} from "./IWay.sol";
import {Question} from "./Question.sol";

/// @title Any of our ways as a proof verifier of ERC-8274. One deployment a way.
/// @notice inputHash: H(inputs u8 || (scheme, digest)...), as in Question. outputHash: H(H(bytes of each output)...). metadata:
/// (bytes32 programId, uint8 privacy). proof: (bytes32 requestId, bytes[] outputs, bytes evidence), the request being one of a
/// Settlement where the way opens something (DisputeWay), else anything. Stateless: what is true here is true for everybody, so
/// a consumer of hidden inputs has to count each commitment once (rule 9), as Settlement does.
contract Erc8274Verifier is IProofVerifier {
    bytes4 private constant ERC165 = 0x01ffc9a7;

    /// @notice What is asked.
    IWay public immutable WAY;

    string private _system;

    /// @notice The way gave no verdict: too little gas, or bytes that are no evidence at all.
    error NoVerdict();

    /// @param system "zk/ezkl", "op/verifiable-ml" and the like.
    constructor(IWay way, string memory system) {
        WAY = way;
        _system = system;
    }

    /// @inheritdoc IProofVerifier
    function verify(bytes32 inputHash, bytes32 outputHash, bytes calldata metadata, bytes calldata proof)
        external
        view
        returns (bool)
    {
        Question memory question;
        (question.programId, question.privacy) = abi.decode(metadata, (bytes32, uint8));
        question.inputsId = inputHash;
        (bytes32 requestId, bytes[] memory outputs, bytes memory evidence) =
            abi.decode(proof, (bytes32, bytes[], bytes));
        // INVARIANT: the outputs that are checked are those that the caller named.
        if (_outputHash(outputs) != outputHash) return false;
        uint256 before = gasleft();
        try WAY.check(requestId, question, outputs, evidence) returns (bytes32) {
            return true;
        } catch (bytes memory reason) {
            // A refusal has a name. What ran dry has none, or left a 64th at each level: that is no verdict on the proof.
            if (reason.length < 4 || gasleft() < before / 8) revert NoVerdict();
            return false;
        }
    }

    /// @inheritdoc IProofVerifier
    function proofSystem() public view returns (string memory) {
        return _system;
    }

    /// @inheritdoc IProofVerifier
    function proofProfile() external view returns (bytes32) {
        return keccak256(abi.encodePacked(_system, block.chainid, WAY));
    }

    /// @notice ERC-165.
    function supportsInterface(bytes4 interfaceId) external pure returns (bool) {
        return interfaceId == type(IProofVerifier).interfaceId || interfaceId == ERC165;
    }

    function _outputHash(bytes[] memory outputs) private pure returns (bytes32) {
        bytes32[] memory hashes = new bytes32[](outputs.length);
        for (uint256 i; i < hashes.length; ++i) {
            hashes[i] = keccak256(outputs[i]);
        }
        return keccak256(abi.encodePacked(hashes));
    }
}
