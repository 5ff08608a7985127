// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IMedShare} from "../../../contracts/interfaces/IMedShare.sol";
import {IMedShareErrors} from "../../../contracts/interfaces/IMedShareErrors.sol";
import {PackageId, State} from "../../../contracts/interfaces/Types.sol";
import {Messages} from "../../Messages.sol";
import {Bounds} from "../Bounds.sol";
import {Dice} from "../Dice.sol";
import {Faults} from "../Faults.sol";
import {World} from "../World.sol";

/// @notice What owners, custodians and nodes of them, do with their packages.
abstract contract Owners is World {
    function revoke(uint256 seed) external {
        Dice memory dice = Dice(seed, 0);
        PackageId id = _package(dice, _live());
        address caller = _ownerOrNode(dice, id);
        uint8 reason = uint8(dice.oneIn(10) ? dice.below(2) : 2 + dice.below(254));
        Faults memory faults = _ownersFaults(id, caller, _live());
        if (reason < 2) faults.add(abi.encodeWithSelector(IMedShareErrors.ReservedReason.selector, reason));
        bytes memory input = abi.encodeCall(IMedShare.revoke, (id, reason));
        if (!_expectTold(caller, input, Bounds.REVOKE, faults, abi.encode(reason))) return;
        past[id].lost = true;
        _count("revoked");
    }

    function regrant(uint256 seed) external {
        Dice memory dice = Dice(seed, 0);
        PackageId id = _package(dice, _bit(State.Revoked));
        address owner = past[id].custodian;
        address caller = dice.oneIn(8) ? _nodeOf(dice, owner) : _mostly(dice, owner);
        Faults memory faults = _ownersFaults(id, owner, _bit(State.Revoked));
        bool known = replica.stateOf(id) != State.None;
        if (known && caller != owner) {
            faults.add(abi.encodeWithSelector(IMedShareErrors.NotOwner.selector, id, caller));
        } else if (known && !replica.isCustodian(caller)) {
            faults.add(IMedShareErrors.NotCustodian.selector, caller);
        }
        if (!_expectTold(caller, abi.encodeCall(IMedShare.regrant, (id)), Bounds.REGRANT, faults, "")) return;
        // Whoever it was that did it: only the package's own custodian gives access again.
        if (caller == owner) (past[id].lost, past[id].violated) = (false, false);
        _count("re-granted");
    }

    function retrieve(uint256 seed) external {
        Dice memory dice = Dice(seed, 0);
        PackageId id = _package(dice, _live() | _bit(State.Revoked));
        address caller = _ownerOrNode(dice, id);
        address requestor_ = past[id].requestor;
        uint64 time = _later(0) - uint64(dice.below(1000));
        Hand hand = _handOrNobodys(dice, requestor_, 6);
        bytes32 deletion = Messages.deletion(id, time);
        bytes memory signature = _signBy(hand, requestor_, deletion);
        Faults memory faults = _ownersFaults(id, caller, _live() | _bit(State.Revoked));
        bool agreed = requestor_ == address(0) || _counts(requestor_, hand);
        if (!agreed) faults.add(IMedShareErrors.BadSignature.selector, requestor_);
        uint256 bound_ = Bounds.RETRIEVE + (_asksCode(requestor_, hand) ? Bounds.WALLET : 0);
        bytes memory input = abi.encodeCall(IMedShare.retrieve, (id, time, signature));
        bytes memory told = abi.encode(time, Messages.digest(address(med), deletion));
        if (!_expectTold(caller, input, bound_, faults, told)) return;
        past[id].retrieved = true;
        _count("retrieved");
    }

    /// @dev The owner or a node of it; now and then anybody.
    function _ownerOrNode(Dice memory dice, PackageId id) private view returns (address) {
        address owner = past[id].custodian;
        return _mostly(dice, dice.oneIn(2) ? owner : _nodeOf(dice, owner));
    }
}
