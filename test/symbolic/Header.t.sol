// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Test} from "forge-std/Test.sol";
import {Header} from "../../contracts/libraries/Header.sol";
import {Harness} from "./Harness.sol";

/// @notice The reading of headers (P22), for every header. The hash itself is the precompile's and not looked into.
contract HeaderProof is Test {
    Harness private med;

    function setUp() public {
        med = new Harness();
        vm.warp(vm.randomUint(40));
    }

    /// @notice A header, taken apart into entry and previous hash, is laid out as the same 80 bytes.
    function check_layingOutIsTheIdentity(bytes4 version, bytes32 previous, bytes32 root, bytes12 end, bytes32 leaf)
        public
        view
    {
        bytes memory header = abi.encodePacked(version, previous, root, end);
        (bytes32 a, bytes32 b, bytes16 c) = med.laid(abi.encodePacked(version, root, end, leaf), previous);
        assert(keccak256(abi.encodePacked(a, b, c)) == keccak256(header));
    }

    /// @notice Time, bits and leaf are the bytes that stand where they belong, little-endian.
    function check_fieldsAreReadByteForByte(bytes4 version, bytes32 root, uint32 time, uint32 bits, bytes32 leaf)
        public
        view
    {
        bytes memory entry = abi.encodePacked(version, root, little(time), little(bits), bytes4(0), leaf);
        (uint256 itsTime, uint256 itsBits) = med.timeAndBits(entry);
        assert(itsTime == time);
        assert(itsBits == bits);
        assert(med.leafOf(entry) == leaf);
    }

    /// @notice The number of a hash has its bytes in the other order.
    function check_numbersAreTheHashReversed(bytes32 hash, uint8 at) public pure {
        vm.assume(at < 32);
        assert(uint8(Header.asNumber(hash) >> (8 * at)) == uint8(hash[at]));
    }

    /// @notice Compact targets: sign, mantissa and exponent, zero where the number does not fit.
    function check_targets(uint32 bits) public pure {
        uint256 size = bits >> 24;
        uint256 word = bits & 0x7fffff;
        uint256 target = Header.target(bits);
        if ((bits >> 23) & 1 == 1) assert(target == 0);
        else if (size <= 3) assert(target == word >> (8 * (3 - size)));
        else if (size > 34) assert(target == 0);
        else if ((word << (8 * (size - 3))) >> (8 * (size - 3)) != word) assert(target == 0);
        else assert(target == word << (8 * (size - 3)));
    }

    /// @notice The anchor loop's short cut agrees to nothing that the long way does not agree to.
    function check_theShortCutIsSound(uint32 time, uint32 bits, uint32 limit, bytes32 hash) public view {
        bytes memory entry = abi.encodePacked(bytes4(0), bytes32(0), little(time), little(bits), bytes4(0), bytes32(0));
        (bool plain, bool good) = med.judged(entry, hash, limit);
        assert(good || !plain);
    }

    function little(uint32 number) private pure returns (bytes4) {
        return bytes4(
            bytes.concat(
                bytes1(uint8(number)),
                bytes1(uint8(number >> 8)),
                bytes1(uint8(number >> 16)),
                bytes1(uint8(number >> 24))
            )
        );
    }
}
