// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Test} from "forge-std/Test.sol";
import {PackageId, Sensitivity, State} from "../../contracts/interfaces/Types.sol";
import {Harness} from "./Harness.sol";

/// @notice What docs/contracts.md says of packages, written down a second time; the proofs compare the contract with it.
abstract contract Proof is Test {
    Harness internal med;

    /// @dev As `Packages.Standing`.
    uint8 internal constant NONE = 0;
    uint8 internal constant GRANTED = 1;
    uint8 internal constant REVOKED = 2;
    uint8 internal constant RETRIEVED = 3;

    function setUp() public virtual {
        // Only the code: of what a constructor has stored, halmos would let nothing vary.
        med = Harness(address(0x3ed));
        vm.etch(address(med), address(new Harness()).code);
        vm.setArbitraryStorage(address(med));
        vm.warp(vm.randomUint(40)); // a thousand times that, in ms, has 64 bits
    }

    /// @dev Everything about a package. That a package has an owner holds of every one that was issued: its dataset was
    /// published, and an owner is never taken from a dataset.
    function _look(PackageId id) internal view returns (Harness.Seen memory seen) {
        seen = med.look(id);
        vm.assume(seen.owner != address(0));
    }

    function _stateOf(Harness.Seen memory seen) internal view returns (State) {
        uint8 standing = uint8(seen.package.standing);
        if (standing == NONE) return State.None;
        if (standing == RETRIEVED) return State.Retrieved;
        if (block.timestamp * 1000 >= seen.package.expiry) return State.Expired;
        if (standing == REVOKED || _isOvertaken(seen)) return State.Revoked;
        return bytes16(seen.head) == seen.package.origin ? State.Issued : State.Active;
    }

    function _isOvertaken(Harness.Seen memory seen) internal pure returns (bool) {
        return seen.package.datasetEpoch != seen.datasetEpoch || seen.package.ownerEpoch != seen.ownerEpoch;
    }

    function _isLive(Harness.Seen memory seen) internal view returns (bool) {
        State state = _stateOf(seen);
        return state == State.Issued || state == State.Active;
    }

    function _isNodeOf(address caller, address owner) internal view returns (bool) {
        return med.custodianOf(caller) == owner;
    }

    /// @dev The actions that the usage contract has something against.
    function _violations(Harness.Seen memory seen, uint8 actions) internal pure returns (uint8) {
        uint8 allowed = seen.package.granted & 0x3f;
        if (seen.package.sensitivity == Sensitivity.Low) allowed |= seen.package.exempt & 0x3f;
        return actions & ~(allowed | 0x40);
    }

    function _assertSame(Harness.Seen memory a, Harness.Seen memory b) internal pure {
        assert(keccak256(abi.encode(a)) == keccak256(abi.encode(b)));
    }

    /// @dev What is held of a package itself, for what must leave it alone.
    function _packageOf(PackageId id) internal view returns (bytes32) {
        Harness.Seen memory seen = med.look(id);
        return keccak256(abi.encode(seen.package, seen.head, seen.owner));
    }

    function _isSame(PackageId a, PackageId b) internal pure returns (bool) {
        return PackageId.unwrap(a) == PackageId.unwrap(b);
    }

    function _call(address caller, bytes memory input) internal returns (bool done) {
        vm.prank(caller);
        (done,) = address(med).call(input);
    }
}
