// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

/// @title Stands in for both verifiers of ezkl: accepts one (proof, instances), answers what a test wants.
contract StubVerifier {
    /// @notice Digest of the accepted call.
    bytes32 public accepted;
    /// @notice What it answers then.
    bytes public answer = abi.encode(true);
    /// @notice Whether it burns all gas instead.
    bool public burns;

    /// @notice The digest that it names for any key, if not zero.
    bytes32 public named;

    error NotAccepted();

    function accept(bytes calldata proof, uint256[] calldata instances) external {
        accepted = keccak256(abi.encode(proof, instances));
    }

    function setAnswer(bytes calldata to) external {
        answer = to;
    }

    function setBurns(bool to) external {
        burns = to;
    }

    function setNamed(bytes32 to) external {
        named = to;
    }

    function registerVka(bytes32[] calldata vka) external view returns (bytes32) {
        return named == 0 ? keccak256(abi.encodePacked(vka)) : named;
    }

    function verifyProof(bytes calldata proof, uint256[] calldata instances) external view returns (bool) {
        _answer(proof, instances);
    }

    function verifyProof(bytes calldata proof, uint256[] calldata instances, bytes32[] calldata)
        external
        view
        returns (bool, bytes32, int256[] memory)
    {
        _answer(proof, instances);
    }

    function _answer(bytes calldata proof, uint256[] calldata instances) private view {
        while (burns) {}
        if (keccak256(abi.encode(proof, instances)) != accepted) revert NotAccepted();
        bytes memory data = answer;
        assembly ("memory-safe") {
            return(add(data, 32), mload(data))
        }
    }
}
