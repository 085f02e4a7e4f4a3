// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Bonds} from "../../src/game/Bonds.sol";
import {Request, RequestStatus, Terms} from "../../src/game/ClaimState.sol";
import {Described, Leaf} from "../../src/game/GameState.sol";
import {IOptimisticClaims} from "../../src/game/IOptimisticClaims.sol";
import {IProgramRegistry} from "../../src/game/IProgramRegistry.sol";
import {OptimisticClaims} from "../../src/game/OptimisticClaims.sol";
import {Profile, Profiles} from "../../src/game/Profiles.sol";
import {Forest, GameWorld} from "./GameWorld.sol";
import {Toy} from "./ToySteps.sol";
import {Trees} from "./Trees.sol";

/// @title Requests: rules 9, 11, 17, 33, 43, 53 and 54.
contract Requests_Test is GameWorld {
    function setUp() external {
        toys.push(Toy(1, 3, 16, 1, 1));
        toys.push(Toy(1, 3, 8, 1, 1));
        inputBytes = 1000;
        deploy(6);
    }

    // ---- asking -----------------------------------------------------------------------------------------------------------

    /// @dev Rule 9, byte for byte; the nonce counts each account's requests.
    function test_request_id_isThatOfRule9() external {
        for (uint64 nonce; nonce < 2; ++nonce) {
            bytes32 root = Trees.nodes(honest().trace, 0, 0, 1)[0];
            bytes32 wanted = keccak256(
                abi.encodePacked(
                    abi.encodePacked(hex"11", block.chainid, address(claims), REQUESTER, nonce, programId, root),
                    abi.encodePacked(uint8(2), uint128(1 gwei), uint128(0))
                )
            );
            assertEq(ask(), wanted);
            assertEq(uint256(claims.nonces(REQUESTER)), nonce + 1);
        }
    }

    function test_request_stored_isWhatWasAsked() external {
        Terms memory wanted = Terms(0, 3 ether, 5 ether, 77);
        vm.warp(START + 24 hours);
        vm.fee(7 gwei);
        bytes32 requestId = _ask(wanted, input(), 3 ether);
        Request memory asked = claims.requests(requestId);
        assertEq(asked.requester, REQUESTER);
        assertEq(uint256(asked.deadline), 77);
        assertEq(uint256(asked.profile), 0);
        vm.assertTrue(asked.status == RequestStatus.Open && !asked.byRoots, "status");
        assertEq(uint256(asked.price), 28 gwei);
        assertEq(uint256(asked.minimumBond), 5 ether);
        assertEq(uint256(asked.fee), 3 ether);
        assertEq(uint256(asked.inputs), 1);
        assertEq(uint256(asked.operators), 2);
        assertEq(asked.programId, programId);
        (uint256 proposerBond, uint256 challengeBond) = claims.bonds(requestId);
        assertEq(proposerBond, 5 ether);
        assertEq(challengeBond, 2_400_000 * uint256(28 gwei));
    }

    /// @dev Property 33: chain, contract, requester, nonce, program, input, profile, price and bond each make another request.
    function test_request_anythingElse_hasAnotherId() external {
        bytes32[] memory ids = new bytes32[](7);
        ids[0] = ask();
        vm.chainId(5);
        ids[1] = ask();
        bytes memory data = input();
        data[0] = 0x07;
        ids[2] = _ask(terms(), data, 1 ether);
        Terms memory other = terms();
        other.minimumBond = 1;
        ids[3] = _ask(other, input(), 1 ether);
        vm.fee(10 gwei);
        profile = 0;
        ids[4] = ask();
        vm.fee(11 gwei);
        ids[5] = ask();
        OptimisticClaims first = claims;
        claims = new OptimisticClaims(games, registry);
        ids[6] = ask();
        vm.assertTrue(address(first) != address(claims), "another contract");
        for (uint256 i; i < ids.length; ++i) {
            for (uint256 j; j < i; ++j) {
                vm.assertTrue(ids[i] != ids[j], "two requests have one id");
            }
        }
    }

    /// @dev Rule 43: what is more than the fee can be withdrawn, what is less is refused.
    function test_request_otherValue_isCreditedOrRefused() external {
        _refusedAsk(terms(), input(), 1 ether - 1, abi.encodeWithSelector(WRONG_VALUE, 1 ether, 1 ether - 1));
        _refusedAsk(terms(), input(), 0, abi.encodeWithSelector(WRONG_VALUE, 1 ether, 0));
        assertEq(claims.balances(REQUESTER), 0);
        _ask(terms(), input(), 1 ether + 5);
        assertEq(claims.balances(REQUESTER), 5);
    }

    bytes4 private constant WRONG_VALUE = IOptimisticClaims.WrongValue.selector;

    /// @dev Rule 11 and property 38: every integer of the bytes lies in the declared interval, here 0 to 200.
    function test_request_outsideTheInterval_reverts() external {
        uint16[3] memory places = [0, 500, 999];
        for (uint256 i; i < places.length; ++i) {
            bytes memory data = input();
            data[places[i]] = bytes1(uint8(201));
            _refusedAsk(
                terms(),
                data,
                1 ether,
                abi.encodeWithSelector(IProgramRegistry.OutsideInterval.selector, 0, places[i], 201)
            );
            data[places[i]] = bytes1(uint8(200));
            _ask(terms(), data, 1 ether);
        }
    }

    function test_request_anotherLength_reverts() external {
        bytes4 why = IProgramRegistry.WrongLength.selector;
        _refusedAsk(terms(), new bytes(999), 1 ether, abi.encodeWithSelector(why, 0, 1000, 999));
        _refusedAsk(terms(), new bytes(1001), 1 ether, abi.encodeWithSelector(why, 0, 1000, 1001));
        vm.prank(REQUESTER);
        vm.expectRevert(abi.encodeWithSelector(IProgramRegistry.WrongCount.selector, 1, 0));
        claims.request{value: 1 ether}(programId, terms(), new bytes[](0));
    }

    /// @dev Rule 11: 24 KiB travel, a byte more does not.
    function test_request_24KiBAndAByte_isGivenByItsRoot() external {
        inputBytes = 24 * 1024;
        deploy(6);
        ask();
        inputBytes = 24 * 1024 + 1;
        deploy(6);
        bytes memory why = abi.encodeWithSelector(IOptimisticClaims.TooLong.selector, 24 * 1024, 24 * 1024 + 1);
        _refusedAsk(terms(), input(), 1 ether, why);
        askByRoots(honest());
    }

    /// @dev Rule 53: W after the registration, to the second.
    function test_request_youngProgram_reverts() external {
        for (profile = 0; profile < 3; ++profile) {
            uint256 from = START + Profiles.row(profile).window;
            vm.warp(from - 1);
            _refusedAsk(
                terms(), input(), 1 ether, abi.encodeWithSelector(IOptimisticClaims.ProgramTooYoung.selector, from)
            );
            vm.warp(from);
            ask();
        }
    }

    function test_request_unknownProgram_reverts() external {
        programId = keccak256("nobody registered it");
        _refusedAsk(
            terms(), input(), 1 ether, abi.encodeWithSelector(IProgramRegistry.UnknownProgram.selector, programId)
        );
    }

    function test_request_unknownProfile_reverts() external {
        profile = 3;
        _refusedAsk(terms(), input(), 1 ether, abi.encodeWithSelector(Profiles.UnknownProfile.selector, 3));
    }

    /// @dev Rule 54: a salt hides weights, and what is hidden cannot be disputed.
    function test_request_hiddenWeights_reverts() external {
        Described[] memory outputs = new Described[](1);
        outputs[0] = described(toys.length);
        vm.warp(START);
        programId = registry.register(header(), keccak256("salt"), Trees.root(descriptorTree()), outputs, "");
        vm.warp(START + 26 hours);
        _refusedAsk(
            terms(), input(), 1 ether, abi.encodeWithSelector(IOptimisticClaims.HiddenWeights.selector, programId)
        );
    }

    /// @dev Rule 43: min(cap, max(floor, 4 * basefee)).
    function testFuzz_price_anyBasefee_isThatOfRule43(uint64 basefee, uint8 choice) external pure {
        Profile memory row = Profiles.row(choice % 3);
        uint256 wanted = 4 * uint256(basefee);
        if (wanted < row.floor) wanted = row.floor;
        if (wanted > row.cap) wanted = row.cap;
        assertEq(uint256(Bonds.price(choice % 3, basefee)), wanted);
    }

    /// @dev Rule 43: at the price of one gwei, 2.4M and 9.6M gas; the request's least if that is more.
    function test_bonds_eachRow_isThatOfRule43() external pure {
        assertEq(Bonds.challenge(1 gwei), 0.0024 ether);
        assertEq(Bonds.proposer(1 gwei, 0), 0.0096 ether);
        assertEq(Bonds.proposer(1 gwei, 1 ether), 1 ether);
        assertEq(Bonds.demand(1 gwei, 256), 2 * 40 * 256 * uint256(1 gwei));
        (uint256 reward, uint256 burnt) = Bonds.split(7);
        assertEq(reward, 3);
        assertEq(burnt, 4);
    }

    // ---- by roots ---------------------------------------------------------------------------------------------------------

    function test_requestByRoots_deposit_isOneChallengeBond() external {
        bytes32[] memory roots = Trees.nodes(honest().trace, 0, 0, 1);
        vm.startPrank(REQUESTER);
        vm.expectRevert(abi.encodeWithSelector(WRONG_VALUE, 1 ether + STAKE, 1 ether + STAKE - 1));
        claims.requestByRoots{value: 1 ether + STAKE - 1}(programId, terms(), roots);
        vm.expectRevert(abi.encodeWithSelector(IOptimisticClaims.WrongCount.selector, 1, 2));
        claims.requestByRoots{value: 1 ether + STAKE}(programId, terms(), joinedTwice(roots));
        bytes32 requestId = claims.requestByRoots{value: 1 ether + STAKE + 1}(programId, terms(), roots);
        vm.stopPrank();
        vm.assertTrue(claims.requests(requestId).byRoots, "by roots");
        assertEq(claims.balances(REQUESTER), 1);
    }

    function joinedTwice(bytes32[] memory roots) private pure returns (bytes32[] memory twice) {
        twice = new bytes32[](2);
        (twice[0], twice[1]) = (roots[0], roots[0]);
    }

    // ---- the fee ----------------------------------------------------------------------------------------------------------

    /// @dev Rule 17: at the deadline, not a second before, by the requester alone. What nobody has answered is closed.
    function test_withdrawFee_unanswered_closesTheRequest() external {
        bytes32 requestId = askByRoots(honest());
        uint256 deadline = claims.requests(requestId).deadline;
        vm.warp(deadline - 1);
        _refused(REQUESTER, requestId, abi.encodeWithSelector(IOptimisticClaims.TooEarly.selector, deadline));
        vm.warp(deadline);
        _refused(STRANGER, requestId, abi.encodeWithSelector(IOptimisticClaims.NotRequester.selector, STRANGER));
        vm.prank(REQUESTER);
        claims.withdrawFee(requestId);
        assertEq(claims.balances(REQUESTER), 1 ether + STAKE);
        RequestStatus status = claims.requests(requestId).status;
        vm.assertTrue(status == RequestStatus.Withdrawn, "it is closed");
        bytes memory why = abi.encodeWithSelector(IOptimisticClaims.RequestNotOpen.selector, requestId, status);
        _refused(REQUESTER, requestId, why);
        bytes memory data = abi.encodeCall(claims.assertOutputs, (requestId, traceOf(honest()), outputsOf(honest())));
        refused(PROPOSER, address(claims), BOND, data, why);
    }

    /// @dev Rule 17: assertions go on. The deposit returns when the request is closed.
    function test_withdrawFee_answered_leavesTheRequestOpen() external {
        bytes32 requestId = askByRoots(honest());
        bytes32 assertionId = assertBy(PROPOSER, requestId, honest());
        vm.warp(claims.requests(requestId).deadline);
        vm.prank(REQUESTER);
        claims.withdrawFee(requestId);
        assertEq(claims.balances(REQUESTER), 1 ether);
        _refused(REQUESTER, requestId, abi.encodeWithSelector(IOptimisticClaims.NothingOwed.selector));
        claims.finalise(assertionId);
        assertEq(claims.balances(PROPOSER), BOND);
        assertEq(claims.balances(REQUESTER), 1 ether + STAKE);
    }

    function _refused(address sender, bytes32 requestId, bytes memory why) private {
        refused(sender, address(claims), 0, abi.encodeCall(claims.withdrawFee, (requestId)), why);
    }

    // ---- bad input --------------------------------------------------------------------------------------------------------

    /// @dev Rule 33: an input of which byte 777 is 201, known by its root.
    function bad() private view returns (Forest memory forest) {
        forest = honest();
        forest.tensors[0][777] = bytes1(uint8(201));
        plant(forest);
    }

    function leafOf(Forest memory forest, uint256 place) private pure returns (Leaf memory) {
        bytes memory data = Trees.slice(forest.tensors[0], place * 256, 256);
        return Leaf(data, Trees.siblings(forest.trees[0], 0, place, 2));
    }

    function _show(bytes32 requestId, Forest memory forest, uint256 input_, uint256 element, Leaf memory leaf)
        private
        view
        returns (bytes memory)
    {
        bytes32[] memory roots = Trees.nodes(forest.trace, 0, 0, 1);
        return abi.encodeCall(claims.showBadInput, (requestId, roots, input_, element, leaf, CHALLENGER));
    }

    function test_badInput_nobodyHasAnswered_paysWhoShowsIt() external {
        bytes32 requestId = askByRoots(bad());
        vm.prank(STRANGER);
        (bool done,) = address(claims).call(_show(requestId, bad(), 0, 777, leafOf(bad(), 3)));
        vm.assertTrue(done, "it is void");
        vm.assertTrue(claims.requests(requestId).status == RequestStatus.Void, "it is void");
        assertEq(claims.balances(REQUESTER), 1 ether);
        assertEq(claims.balances(STRANGER), STAKE / 2);
        assertEq(claims.burnt(), STAKE / 2);
    }

    /// @dev Rule 33: to the first proposer, if no game is open; its bond returns.
    function test_badInput_answered_paysTheFirstProposer() external {
        bytes32 requestId = askByRoots(bad());
        bytes32 assertionId = assertBy(PROPOSER, requestId, bad());
        bytes32 second = assertBy(CHALLENGER, requestId, bad());
        vm.prank(STRANGER);
        (bool done,) = address(claims).call(_show(requestId, bad(), 0, 777, leafOf(bad(), 3)));
        vm.assertTrue(done, "it is void");
        assertEq(claims.balances(PROPOSER), STAKE / 2);
        claims.returnBond(assertionId);
        claims.returnBond(second);
        assertEq(claims.balances(PROPOSER), STAKE / 2 + BOND);
        assertEq(claims.balances(CHALLENGER), BOND);
    }

    /// @dev Rule 33: to the challenger of the first game, while that is open; its bond returns by closing the game.
    function test_badInput_challenged_paysTheFirstChallenger() external {
        bytes32 requestId = askByRoots(bad());
        bytes32 assertionId = assertBy(PROPOSER, requestId, bad());
        Forest memory other = honest();
        bytes32 first = challengeBy(CHALLENGER, assertionId, other);
        bytes32 second = challengeBy(STRANGER, assertionId, other);
        vm.prank(STRANGER);
        (bool done,) = address(claims).call(_show(requestId, bad(), 0, 777, leafOf(bad(), 3)));
        vm.assertTrue(done, "it is void");
        assertEq(claims.balances(CHALLENGER), STAKE / 2);
        games.close(first);
        games.close(second);
        claims.returnBond(assertionId);
        assertEq(claims.balances(CHALLENGER), STAKE / 2 + STAKE);
        assertEq(claims.balances(STRANGER), STAKE);
        assertEq(claims.balances(PROPOSER), BOND);
        assertEq(address(claims).balance, 1 ether + STAKE + BOND + 2 * STAKE);
    }

    /// @dev Nobody but the challenger of the first game can be named as such.
    function test_badInput_otherChallenger_reverts() external {
        bytes32 requestId = askByRoots(bad());
        bytes32 assertionId = assertBy(PROPOSER, requestId, bad());
        challengeBy(CHALLENGER, assertionId, honest());
        challengeBy(STRANGER, assertionId, honest());
        bytes32[] memory roots = Trees.nodes(bad().trace, 0, 0, 1);
        address[3] memory others = [STRANGER, PROPOSER, address(0)];
        for (uint256 i; i < others.length; ++i) {
            bytes memory data =
                abi.encodeCall(claims.showBadInput, (requestId, roots, 0, 777, leafOf(bad(), 3), others[i]));
            bytes memory why = abi.encodeWithSelector(IOptimisticClaims.NotFirstChallenger.selector, others[i]);
            refused(STRANGER, address(claims), 0, data, why);
        }
    }

    /// @dev Rule 33: a first game that is over pays nobody.
    function test_badInput_firstGameOver_paysTheProposer() external {
        bytes32 requestId = askByRoots(bad());
        bytes32 assertionId = assertBy(PROPOSER, requestId, bad());
        bytes32 second = assertBy(STRANGER, requestId, bad());
        bytes32 gameId = challengeBy(CHALLENGER, assertionId, honest());
        vm.warp(games.turn(gameId).deadline);
        games.timeout(gameId, 0, 0);
        assertEq(claims.balances(CHALLENGER), STAKE + BOND / 2);
        (bool done,) = address(claims).call(_show(requestId, bad(), 0, 777, leafOf(bad(), 3)));
        vm.assertTrue(done, "it is void");
        assertEq(claims.balances(PROPOSER), STAKE / 2);
        claims.returnBond(second);
    }

    /// @dev What is in order makes nothing void, wherever one looks; what does not open shows nothing.
    function test_badInput_thatIsNotShown_reverts() external {
        bytes32 requestId = askByRoots(bad());
        Leaf memory leaf = leafOf(bad(), 3);
        _refusedShow(requestId, 0, 776, leaf, abi.encodeWithSelector(IOptimisticClaims.InsideInterval.selector, 176));
        _refusedShow(requestId, 1, 777, leaf, abi.encodeWithSelector(IOptimisticClaims.WrongCount.selector, 1, 1));
        bytes memory why = abi.encodeWithSelector(IProgramRegistry.WrongCount.selector, 1000, 1000);
        _refusedShow(requestId, 0, 1000, leaf, why);
        bytes32 root = Trees.nodes(bad().trace, 0, 0, 1)[0];
        why = abi.encodeWithSelector(IProgramRegistry.WrongLength.selector, 0, 256, 232);
        _refusedShow(requestId, 0, 100, leaf, why);
        why = abi.encodeWithSelector(IProgramRegistry.NotUnderRoot.selector, root);
        leaf.data[0] ^= 0x01;
        _refusedShow(requestId, 0, 777, leaf, why);
        leaf.data[0] ^= 0x01;
        leaf.siblings[0] ^= bytes32(uint256(1));
        _refusedShow(requestId, 0, 777, leaf, why);
        leaf.siblings = new bytes32[](3);
        _refusedShow(requestId, 0, 777, leaf, abi.encodeWithSelector(IProgramRegistry.WrongCount.selector, 2, 3));
    }

    function _refusedShow(bytes32 requestId, uint256 input_, uint256 element, Leaf memory leaf, bytes memory why)
        private
    {
        refused(STRANGER, address(claims), 0, _show(requestId, bad(), input_, element, leaf), why);
    }

    function test_badInput_otherRoots_reverts() external {
        bytes32 requestId = askByRoots(honest());
        refused(
            STRANGER,
            address(claims),
            0,
            _show(requestId, bad(), 0, 777, leafOf(bad(), 3)),
            abi.encodeWithSelector(IOptimisticClaims.WrongRoots.selector)
        );
    }

    /// @dev What is final stays final, what is void stays void.
    function test_badInput_ofAClosedRequest_reverts() external {
        bytes32 requestId = askByRoots(bad());
        bytes32 assertionId = assertBy(PROPOSER, requestId, bad());
        vm.warp(block.timestamp + 120);
        claims.finalise(assertionId);
        bytes memory why =
            abi.encodeWithSelector(IOptimisticClaims.RequestNotOpen.selector, requestId, RequestStatus.Final);
        _refusedShow(requestId, 0, 777, leafOf(bad(), 3), why);
    }

    // ---- what they use ----------------------------------------------------------------------------------------------------

    function _ask(Terms memory wanted, bytes memory data, uint256 value) private returns (bytes32) {
        bytes[] memory inputs = new bytes[](1);
        inputs[0] = data;
        vm.prank(REQUESTER);
        return claims.request{value: value}(programId, wanted, inputs);
    }

    function _refusedAsk(Terms memory wanted, bytes memory data, uint256 value, bytes memory why) private {
        bytes[] memory inputs = new bytes[](1);
        inputs[0] = data;
        refused(REQUESTER, address(claims), value, abi.encodeCall(claims.request, (programId, wanted, inputs)), why);
    }
}
