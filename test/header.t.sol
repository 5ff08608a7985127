// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {LowLevelCall} from "@openzeppelin/contracts/utils/LowLevelCall.sol";
import {IMedShareErrors} from "../contracts/interfaces/IMedShareErrors.sol";
import {Header} from "../contracts/libraries/Header.sol";
import {Base} from "./Base.t.sol";
import {Miner} from "./Miner.sol";

/// @notice The header library against Bitcoin's own blocks and Bitcoin Core's own tests of compact targets.
contract HeaderTest is Base {
    string private file;

    function setUp() public override {
        file = vm.readFile("test/vectors/headers.json");
    }

    function test_bitcoinsFirstHeaders() public view {
        for (uint256 i = 0; i < 3; i++) {
            string memory at = string.concat(".headers[", vm.toString(i), "]");
            bytes memory header = vm.parseJsonBytes(file, string.concat(at, ".header"));
            bytes32 hash = vm.parseJsonBytes32(file, string.concat(at, ".hash"));
            assertEq(Header.sha256d(header), hash);
            bytes32 id = vm.parseBytes32(string.concat("0x", vm.parseJsonString(file, string.concat(at, ".id"))));
            assertEq(bytes32(Header.asNumber(hash)), id);
            uint256 bits = vm.parseJsonUint(file, string.concat(at, ".bits"));
            assertLe(uint256(id), Header.target(uint32(bits)));
        }
    }

    function test_bitcoinsFirstHeadersPassAsEntries() public {
        bytes32 previous;
        vm.warp(1_231_469_744 - 120); // just within the time that block 2 may run ahead
        for (uint256 i = 0; i < 3; i++) {
            bytes memory header = vm.parseJsonBytes(file, string.concat(".headers[", vm.toString(i), "].header"));
            bytes memory entry = new bytes(80);
            for (uint256 at = 0; at < 48; at++) {
                entry[at] = header[at < 4 ? at : at + 32];
            }
            previous = this.check(entry, previous, Header.target(Miner.HARD));
            assertEq(previous, Header.sha256d(header));
        }
    }

    function test_bitcoinCoresCompactTargets() public view {
        uint256 count = 27;
        for (uint256 i = 0; i < count; i++) {
            string memory at = string.concat(".targets[", vm.toString(i), "]");
            uint256 bits = vm.parseJsonUint(file, string.concat(at, ".bits"));
            bytes32 target = vm.parseJsonBytes32(file, string.concat(at, ".target"));
            assertEq(bytes32(Header.target(uint32(bits))), target, vm.toString(bits));
        }
        assertFalse(vm.keyExistsJson(file, string.concat(".targets[", vm.toString(count), "]")), "all were compared");
    }

    function test_theDefaultLimitIsAbout4096Hashes() public pure {
        assertEq(type(uint256).max / Header.target(0x1f0fffff), 4096);
    }

    function test_numbersAreTheHashReversed(bytes32 hash) public pure {
        bytes memory reversed = new bytes(32);
        for (uint256 i = 0; i < 32; i++) {
            reversed[i] = hash[31 - i];
        }
        assertEq(Header.asNumber(hash), uint256(bytes32(reversed)));
    }

    function test_timeAndBits(uint32 time, uint32 bits) public view {
        Miner.Block memory block_ = Miner.Block(1, "previous", "root", time, bits, "leaf");
        (uint256 itsTime, uint256 itsBits) = this.timeAndBits(Miner.entryOf(block_, 7));
        assertEq(itsTime, time);
        assertEq(itsBits, bits);
    }

    function test_theWorkMustReachTheClaimAndTheClaimTheLimit(bytes32 root, uint256 limit) public {
        Miner.Block memory block_ = _block("previous", "leaf");
        block_.root = root;
        (bytes memory entry, bytes32 hash) = Miner.mine(block_);
        uint256 claimed = Header.target(Miner.EASY);
        if (limit < claimed) {
            vm.expectRevert(abi.encodeWithSelector(IMedShareErrors.WorkTooLow.selector, hash, Miner.EASY));
        }
        assertEq(this.check(entry, "previous", limit), limit < claimed ? bytes32(0) : hash);
    }

    /// @notice The short cut agrees to nothing that the long way does not agree to.
    function test_whatIsPlainlyGoodIsGood(uint32 time, uint32 bits, bool other, bytes32 hash, uint8 ahead) public {
        vm.warp(time);
        Miner.Block memory block_ = Miner.Block(1, "previous", "root", 0, bits, "leaf");
        unchecked {
            block_.time = time + ahead;
        }
        (bool plain, bool good) = this.judged(Miner.entryOf(block_, 7), hash, other ? Miner.EASY : bits);
        assertTrue(good || !plain);
    }

    /// @notice And it does agree where it should: else every report would cost three times as much.
    function test_whatClaimsTheLimitAndFallsBelowItIsPlainlyGood(bytes32 hash) public {
        vm.warp(1_800_000_000);
        bytes32 low = hash & ~bytes32(uint256(0xffff)); // the two bytes that count most are zero
        uint32 limit = 0x1f0fffff;
        (bool plain, bool good) =
            this.judged(Miner.entryOf(Miner.Block(1, 0, 0, 1_800_000_120, limit, 0), 7), low, limit);
        assertTrue(plain && good);
        (plain, good) = this.judged(Miner.entryOf(Miner.Block(1, 0, 0, 1_800_000_121, limit, 0), 7), low, limit);
        assertFalse(plain || good);
    }

    /// @notice Where SHA-256 cannot be had, by want of gas or of the precompile, nothing passes for a hash.
    function test_withoutThePrecompileNothingPasses() public {
        bytes memory entry = Miner.entryOf(Miner.Block(1, 0, 0, 1, Miner.EASY, 0), 7);
        vm.mockCallRevert(address(2), "", "");
        vm.expectRevert(bytes(""));
        this.check(entry, "previous", type(uint256).max);
    }

    function judged(bytes calldata entry, bytes32 hash, uint32 limitBits)
        external
        view
        returns (bool plain, bool good)
    {
        (uint256 at,) = Header.span(entry);
        Header.Limit memory limit = Header.limitOf(limitBits);
        plain = Header.isPlainlyGood(at, hash, limit.target, limit.bits);
        good = Header.isGood(at, hash, limit.target);
    }

    function check(bytes calldata entry, bytes32 previous, uint256 limit) external view returns (bytes32 head) {
        Header.Limit memory limit_;
        limit_.target = limit;
        uint256 bad;
        (head, bad) = Header.extend(entry, previous, limit_);
        if (bad != 0) LowLevelCall.bubbleRevert(Header.fault(bad, head));
    }

    function timeAndBits(bytes calldata entry) external pure returns (uint256, uint256) {
        (uint256 at,) = Header.span(entry);
        return Header.timeAndBits(at);
    }
}
