// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.24;

import {Bonds} from "./Bonds.sol";
import {Firsts, Request, RequestStatus, Terms} from "./ClaimState.sol";
import {Program} from "./Forms.sol";
import {Leaf} from "./GameState.sol";
import {IDisputeGame} from "./IDisputeGame.sol";
import {IOptimisticClaims} from "./IOptimisticClaims.sol";
import {IProgramRegistry} from "./IProgramRegistry.sol";
import {Ids} from "./Ids.sol";
import {Ledger} from "./Ledger.sol";
import {Profiles} from "./Profiles.sol";

/// @title Requests: rules 9, 11, 17, 33, 43, 53 and 54.
abstract contract Requests is Ledger {
    /// @dev Of all inputs together, rule 11.
    uint256 private constant MAX_INPUT_BYTES = 24 * 1024;

    /// @inheritdoc IOptimisticClaims
    IDisputeGame public immutable GAMES;
    /// @inheritdoc IOptimisticClaims
    IProgramRegistry public immutable REGISTRY;

    /// @inheritdoc IOptimisticClaims
    mapping(address requester => uint64) public nonces;
    mapping(bytes32 requestId => Request) internal _requests;
    mapping(bytes32 requestId => Firsts) internal _firsts;
    mapping(uint64 serial => bytes32 assertionId) internal _bySerial;

    constructor(IDisputeGame games, IProgramRegistry registry) {
        (GAMES, REGISTRY) = (games, registry);
    }

    /// @inheritdoc IOptimisticClaims
    function request(bytes32 programId, Terms calldata terms, bytes[] calldata inputs)
        external
        payable
        returns (bytes32 requestId)
    {
        uint256 nbytes = REGISTRY.program(programId).inputBytes;
        if (nbytes > MAX_INPUT_BYTES) revert TooLong(MAX_INPUT_BYTES, nbytes);
        bytes32[] memory roots = REGISTRY.rootsOfInputs(programId, inputs);
        uint64 nonce = nonces[msg.sender];
        uint128 price;
        (requestId, price) = _ask(programId, terms, roots, false);
        emit Requested(requestId, programId, msg.sender, nonce, terms, price, roots, inputs);
    }

    /// @inheritdoc IOptimisticClaims
    function requestByRoots(bytes32 programId, Terms calldata terms, bytes32[] calldata inputRoots)
        external
        payable
        returns (bytes32 requestId)
    {
        uint64 nonce = nonces[msg.sender];
        uint128 price;
        (requestId, price) = _ask(programId, terms, inputRoots, true);
        emit Requested(requestId, programId, msg.sender, nonce, terms, price, inputRoots, new bytes[](0));
    }

    /// @inheritdoc IOptimisticClaims
    function withdrawFee(bytes32 requestId) external {
        Request storage asked = _open(requestId);
        if (msg.sender != asked.requester) revert NotRequester(msg.sender);
        if (block.timestamp < asked.deadline) revert TooEarly(asked.deadline);
        bool closed = asked.living == 0;
        uint256 fee = asked.fee;
        if (fee == 0 && !closed) revert NothingOwed();
        asked.fee = 0;
        // INVARIANT: as long as an assertion lives, its request is open, and the assertion can become final.
        if (closed) asked.status = RequestStatus.Withdrawn;
        emit FeeWithdrawn(requestId, fee, closed);
        _credit(msg.sender, closed ? fee + _deposit(asked) : fee);
    }

    /// @inheritdoc IOptimisticClaims
    function showBadInput(
        bytes32 requestId,
        bytes32[] calldata inputRoots,
        uint256 input,
        uint256 element,
        Leaf calldata leaf,
        address challenger
    ) external {
        Request storage asked = _open(requestId);
        _sameInputs(asked, inputRoots);
        if (input >= inputRoots.length) revert WrongCount(inputRoots.length, input);
        (int256 value, bool isLegal) = REGISTRY.inputElement(asked.programId, input, inputRoots[input], element, leaf);
        // INVARIANT: a request whose input is in order is never void.
        if (isLegal) revert InsideInterval(value);
        (uint256 fee, uint256 deposit) = (asked.fee, _deposit(asked));
        (asked.status, asked.fee) = (RequestStatus.Void, 0);
        emit Voided(requestId, input, element, value);
        _credit(asked.requester, fee);
        _lose(deposit, _sufferer(requestId, challenger));
    }

    /// @inheritdoc IOptimisticClaims
    function requests(bytes32 requestId) external view returns (Request memory) {
        return _requests[requestId];
    }

    /// @inheritdoc IOptimisticClaims
    function bonds(bytes32 requestId) external view returns (uint256 proposerBond, uint256 challengeBond) {
        Request storage asked = _requests[requestId];
        return (Bonds.proposer(asked.price, asked.minimumBond), Bonds.challenge(asked.price));
    }

    /// @dev A request that is open.
    function _open(bytes32 requestId) internal view returns (Request storage asked) {
        asked = _requests[requestId];
        if (asked.status != RequestStatus.Open) revert RequestNotOpen(requestId, asked.status);
    }

    /// @dev INVARIANT: input roots that are brought again are those of the request.
    function _sameInputs(Request storage asked, bytes32[] calldata inputRoots) internal view {
        if (keccak256(abi.encodePacked(inputRoots)) != asked.inputsHash) revert WrongRoots();
    }

    /// @dev What a request by roots has at stake beside its fee, until it is closed.
    function _deposit(Request storage asked) internal view returns (uint256) {
        return asked.byRoots ? Bonds.challenge(asked.price) : 0;
    }

    function _ask(bytes32 programId, Terms calldata terms, bytes32[] memory roots, bool byRoots)
        private
        returns (bytes32 requestId, uint128 price)
    {
        Program memory program = _askable(programId, terms.profile);
        if (roots.length != program.inputs) revert WrongCount(program.inputs, roots.length);
        price = Bonds.price(terms.profile, block.basefee);
        bytes memory parameters = abi.encodePacked(terms.profile, price, terms.minimumBond);
        // INVARIANT: the nonce grows with every request, so no request is ever overwritten.
        requestId = Ids.request(msg.sender, nonces[msg.sender]++, programId, roots, parameters);
        Request storage asked = _requests[requestId];
        (asked.requester, asked.deadline, asked.profile) = (msg.sender, terms.deadline, terms.profile);
        (asked.status, asked.byRoots) = (RequestStatus.Open, byRoots);
        (asked.price, asked.minimumBond) = (price, terms.minimumBond);
        (asked.fee, asked.inputs, asked.operators) = (terms.fee, program.inputs, program.operators);
        (asked.programId, asked.inputsHash) = (programId, keccak256(abi.encodePacked(roots)));
        // The price follows the block, so nobody can send the exact deposit: what is more can be withdrawn.
        uint256 wanted = terms.fee + _deposit(asked);
        if (msg.value < wanted) revert WrongValue(wanted, msg.value);
        _credit(msg.sender, msg.value - wanted);
    }

    /// @dev Rules 53 and 54.
    function _askable(bytes32 programId, uint8 profile) private view returns (Program memory program) {
        program = REGISTRY.program(programId);
        if (program.hidden) revert HiddenWeights(programId);
        uint256 from = program.registered + Profiles.row(profile).window;
        // INVARIANT: whoever watches a program has had W to fetch it before anything is asked of it.
        if (block.timestamp < from) revert ProgramTooYoung(from);
    }

    /// @dev Whom a bad input has cost most: rule 33.
    function _sufferer(bytes32 requestId, address challenger) private view returns (address) {
        Firsts memory first = _firsts[requestId];
        if (first.proposer == address(0)) return msg.sender;
        if (first.challenged == 0) return first.proposer;
        // INVARIANT: an assertion has one game whose counter is 0, so one challenger is right and every other one is nobody.
        (address player, bool isOpen) = GAMES.player(Ids.game(_bySerial[first.challenged], challenger, 0));
        if (player == address(0)) revert NotFirstChallenger(challenger);
        return isOpen ? challenger : first.proposer;
    }
}
