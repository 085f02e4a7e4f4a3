// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {ClaimVerifier} from "../src/ClaimVerifier.sol";
import {Deployment, TensorLayout} from "../src/Deployment.sol";
import {Test} from "./Test.sol";
import {TensorHarness} from "./TensorHarness.sol";
import {YesVerifier} from "./YesVerifier.sol";

/// @title tests/vectors, which Python and Rust read too. If a meaning changed on purpose: `make vectors`.
contract Vectors_Test is Test {
    TensorHarness private harness = new TensorHarness();
    address private yes = address(new YesVerifier());

    function test_keccak_everyVector_agrees() external view {
        (string memory json, string[] memory names) = _read("keccak");
        for (uint256 i; i < names.length; ++i) {
            bytes32 digest = keccak256(vm.parseJsonBytes(json, _key(names[i], "data")));
            vm.assertEq(digest, vm.parseJsonBytes32(json, _key(names[i], "digest")), names[i]);
        }
    }

    function test_tensorRoot_everyVector_agrees() external view {
        (string memory json, string[] memory names) = _read("tensor_root");
        for (uint256 i; i < names.length; ++i) {
            uint8 dtype = uint8(vm.parseJsonUint(json, _key(names[i], "dtype")));
            bytes32 root = harness.root(dtype, vm.parseJsonBytes(json, _key(names[i], "data")));
            vm.assertEq(root, vm.parseJsonBytes32(json, _key(names[i], "root")), names[i]);
        }
    }

    /// @dev Through the contract itself, with every proof accepted; a vector without inputs has a scheme that it does not know.
    function test_claimId_everyVector_agrees() external {
        (string memory json, string[] memory names) = _read("claim_id");
        uint256 checked;
        for (uint256 i; i < names.length; ++i) {
            bytes[] memory inputs = vm.parseJsonBytesArray(json, _key(names[i], "inputs"));
            if (inputs.length == 0) continue;
            bytes32 claimId = _claimId(json, names[i], inputs);
            vm.assertEq(claimId, vm.parseJsonBytes32(json, _key(names[i], "claim_id")), names[i]);
            ++checked;
        }
        assertEq(checked, 5);
    }

    function _claimId(string memory json, string memory name, bytes[] memory inputs) private returns (bytes32 claimId) {
        bytes[] memory outputs = vm.parseJsonBytesArray(json, _key(name, "outputs"));
        Deployment memory made;
        made.programId = vm.parseJsonBytes32(json, _key(name, "program_id"));
        made.privacy = uint8(vm.parseJsonUint(json, _key(name, "privacy")));
        made.verifier = yes;
        made.proofLength = 96;
        if (made.privacy >> 4 == 1) made.weightInstances = new uint256[](1);
        if (made.privacy >> 4 == 3) made.proofPrefix = new bytes(64);
        made.inputs = _layouts(json, _key(name, "input_dtypes"), inputs);
        made.outputs = _layouts(json, _key(name, "output_dtypes"), outputs);
        ClaimVerifier verifier = new ClaimVerifier();
        verifier.register(made);
        (claimId,) = verifier.verify(made.programId, made.privacy, inputs, outputs, new bytes(96));
    }

    function _layouts(string memory json, string memory key, bytes[] memory tensors)
        private
        pure
        returns (TensorLayout[] memory layouts)
    {
        layouts = new TensorLayout[](tensors.length);
        for (uint256 i; i < tensors.length; ++i) {
            uint8 dtype = uint8(vm.parseJsonUint(json, string.concat(key, "[", vm.toString(i), "]")));
            uint32 count = uint32(tensors[i].length >> dtype);
            layouts[i] = TensorLayout(dtype, count == 0 ? 1 : count, type(int64).min, type(int64).max);
        }
    }

    function _read(string memory file) private view returns (string memory json, string[] memory names) {
        json = vm.readFile(string.concat("../tests/vectors/", file, ".json"));
        names = vm.parseJsonKeys(json, "$");
        vm.assertTrue(names.length > 0, "no vectors: make vectors");
    }

    function _key(string memory name, string memory field) private pure returns (string memory) {
        return string.concat(".", name, ".", field);
    }
}
