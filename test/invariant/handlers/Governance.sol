// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IMedShare} from "../../../contracts/interfaces/IMedShare.sol";
import {IMedShareErrors} from "../../../contracts/interfaces/IMedShareErrors.sol";
import {Miner} from "../../Miner.sol";
import {Bounds} from "../Bounds.sol";
import {Dice} from "../Dice.sol";
import {FaultSet, Faults} from "../Faults.sol";
import {World} from "../World.sol";

/// @notice Governance: custodians, the work limit, its own role.
abstract contract Governance is World {
    bytes32 private constant ROLE = 0x00;

    /// @dev From the easiest to the hardest.
    uint32[4] private limits = [0x2100ffff, Miner.EASY, 0x203fffff, 0x200fffff];
    /// @dev Zero, negative, too large, and too large by far.
    uint32[4] private noLimits = [0, 0x04800001, 0x22000100, 0xff123456];

    function admitOrRemove(uint256 seed) external {
        Dice memory dice = Dice(seed, 0);
        address custodian = dice.oneIn(20) ? address(0) : dice.oneIn(4) ? _outsider(dice) : _custodian(dice);
        bool admitted = replica.isCustodian(custodian);
        // The last but one goes more easily and comes back less so: now and then one is alone.
        uint256 count = replica.custodianCount();
        bool admit = admitted ? !dice.oneIn(count == 2 ? 2 : 3) : !dice.oneIn(count == 1 ? 2 : 6);
        (address caller, Faults memory faults) = _governor(dice);
        if (admit && custodian == address(0)) faults.add(IMedShareErrors.ZeroValue.selector, bytes32("custodian"));
        if (admit && admitted) faults.add(IMedShareErrors.AlreadyAdmitted.selector, custodian);
        if (!admit && !admitted) faults.add(IMedShareErrors.NotAdmitted.selector, custodian);
        bytes memory input = admit
            ? abi.encodeCall(IMedShare.admitCustodian, (custodian))
            : abi.encodeCall(IMedShare.removeCustodian, (custodian));
        uint256 bound_ = admit ? Bounds.ADMIT : Bounds.removeCustodian(_nodeCount(custodian));
        if (_expect(caller, input, bound_, faults)) _count(admit ? bytes32("admitted") : bytes32("removed"));
    }

    function setWorkLimit(uint256 seed) external {
        Dice memory dice = Dice(seed, 0);
        bool bad = dice.oneIn(4);
        uint32 bits = bad ? noLimits[dice.below(4)] : limits[dice.oneIn(2) ? 1 : dice.below(4)];
        (address caller, Faults memory faults) = _governor(dice);
        if (bad) faults.add(abi.encodeWithSelector(IMedShareErrors.BadWorkLimit.selector, bits));
        bytes memory input = abi.encodeCall(IMedShare.setWorkLimit, (bits));
        if (_expect(caller, input, Bounds.WORK_LIMIT, faults)) _count("work limit set");
    }

    /// @dev Hands the role on and takes it away, but never from the last who has it.
    function moveRole(uint256 seed) external {
        Dice memory dice = Dice(seed, 0);
        (address caller, Faults memory faults) = _governor(dice);
        address other = governors[dice.below(2)];
        bool both = replica.hasRole(ROLE, governors[0]) && replica.hasRole(ROLE, governors[1]);
        bytes memory input =
            both ? abi.encodeCall(med.revokeRole, (ROLE, other)) : abi.encodeCall(med.grantRole, (ROLE, other));
        if (_expect(caller, input, Bounds.ROLE, faults)) _count(both ? bytes32("role taken") : bytes32("role given"));
    }

    /// @dev Whoever has the role, mostly.
    function _governor(Dice memory dice) internal view returns (address caller, Faults memory faults) {
        caller = _mostly(dice, governors[replica.hasRole(ROLE, governors[0]) ? 0 : 1]);
        faults = FaultSet.none();
        if (!replica.hasRole(ROLE, caller)) faults.add(FaultSet.unauthorized(caller));
    }

    function _nodeCount(address custodian) private view returns (uint256 count) {
        for (uint256 i = 0; i < NODES; i++) {
            if (replica.custodianOf(nodes[i].addr) == custodian) count++;
        }
    }

    /// @dev A custodian that is not admitted, where there is one.
    function _outsider(Dice memory dice) private view returns (address) {
        for (uint256 i = 0; i < CUSTODIANS; i++) {
            if (!replica.isCustodian(custodians[i])) return custodians[i];
        }
        return _custodian(dice);
    }
}
