// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IMedShare} from "../../../contracts/interfaces/IMedShare.sol";
import {IMedShareErrors} from "../../../contracts/interfaces/IMedShareErrors.sol";
import {Bounds} from "../Bounds.sol";
import {Dice} from "../Dice.sol";
import {FaultSet, Faults} from "../Faults.sol";
import {World} from "../World.sol";

/// @notice Governance and vouching custodians: suspensions of credentials, and of their requests by one owner.
abstract contract Suspensions is World {
    function suspend(uint256 seed) external {
        Dice memory dice = Dice(seed, 0);
        (address who, address caller) = _case(dice, _requestor(dice));
        bytes32 credential = replica.credentialOf(who);
        Faults memory faults = _suspendersFaults(who, caller);
        address by = replica.suspenderOf(credential);
        // Governance takes over what a custodian has suspended.
        if (by == replica.GOVERNANCE() || (by != address(0) && !replica.hasRole(0x00, caller))) {
            faults.add(IMedShareErrors.Suspended.selector, credential);
        }
        bytes memory input = abi.encodeCall(IMedShare.suspend, (who));
        if (_expect(caller, input, Bounds.SUSPENSION, faults)) _count("suspended");
    }

    function reinstate(uint256 seed) external {
        Dice memory dice = Dice(seed, 0);
        (address who, address caller) = _case(dice, _suspended(dice));
        bytes32 credential = replica.credentialOf(who);
        address by = replica.suspenderOf(credential);
        // Mostly whoever made it, if it was a custodian.
        if (replica.isCustodian(by) && !dice.oneIn(4)) caller = by;
        Faults memory faults = _suspendersFaults(who, caller);
        if (credential != 0 && by == address(0)) faults.add(IMedShareErrors.NotSuspended.selector, credential);
        // Nobody but governance undoes what another found.
        bool another = by != address(0) && by != caller && !replica.hasRole(0x00, caller);
        if (another) faults.add(IMedShareErrors.NotPermitted.selector, caller);
        bytes memory input = abi.encodeCall(IMedShare.reinstate, (who));
        if (_expect(caller, input, Bounds.SUSPENSION, faults)) _count("reinstated");
    }

    function allowRequests(uint256 seed) external {
        Dice memory dice = Dice(seed, 0);
        (address custodian, address who) = (_custodian(dice), _requestor(dice));
        for (uint256 tries = 0; tries < 16 && !replica.isRefused(custodian, who); tries++) {
            (custodian, who) = (_custodian(dice), _requestor(dice));
        }
        bool refused = replica.isRefused(custodian, who);
        address caller = _mostly(dice, custodian);
        Faults memory faults = FaultSet.none();
        if (!replica.isCustodian(caller)) faults.add(IMedShareErrors.NotCustodian.selector, caller);
        bytes memory input = abi.encodeCall(IMedShare.allowRequests, (who));
        if (_expect(caller, input, Bounds.REFUSAL, faults) && refused) _count("allowed to ask again");
    }

    function _case(Dice memory dice, address who) private view returns (address, address caller) {
        if (dice.oneIn(30)) who = stranger;
        caller = dice.oneIn(2) ? replica.voucherOf(who) : governors[replica.hasRole(0x00, governors[0]) ? 0 : 1];
        return (who, _mostly(dice, caller));
    }

    function _suspended(Dice memory dice) private view returns (address who) {
        for (uint256 tries = 0; tries < 8; tries++) {
            who = _requestor(dice);
            if (replica.suspenderOf(replica.credentialOf(who)) != address(0)) return who;
        }
    }

    function _suspendersFaults(address who, address caller) private view returns (Faults memory faults) {
        faults = FaultSet.none();
        bool known = replica.credentialOf(who) != 0;
        if (!known) faults.add(IMedShareErrors.UnknownRequestor.selector, who);
        bool vouches = replica.voucherOf(who) == caller && replica.isCustodian(caller);
        bool may = vouches || replica.hasRole(0x00, caller);
        if (known && !may) faults.add(IMedShareErrors.NotPermitted.selector, caller);
    }
}
