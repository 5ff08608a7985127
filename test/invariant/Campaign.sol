// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IMedShare} from "../../contracts/interfaces/IMedShare.sol";
import {ActionKind, DatasetId, Registration, Response} from "../../contracts/interfaces/Types.sol";
import {Messages} from "../Messages.sol";
import {Miner} from "../Miner.sol";
import {Bounds} from "./Bounds.sol";
import {Checks} from "./Checks.sol";
import {FaultSet} from "./Faults.sol";
import {Replica} from "./Replica.sol";
import {Anchoring} from "./handlers/Anchoring.sol";
import {Custodians} from "./handlers/Custodians.sol";
import {Governance} from "./handlers/Governance.sol";
import {Issuing} from "./handlers/Issuing.sol";
import {Owners} from "./handlers/Owners.sol";
import {Registrations} from "./handlers/Registrations.sol";
import {Strangers} from "./handlers/Strangers.sol";
import {Suspensions} from "./handlers/Suspensions.sol";
import {Time} from "./handlers/Time.sol";
import {Violating} from "./handlers/Violating.sol";

/// @notice A consortium at work, the handlers of all roles in it, and how often each is called.
abstract contract Campaign is
    Checks,
    Governance,
    Suspensions,
    Registrations,
    Issuing,
    Anchoring,
    Owners,
    Violating,
    Strangers,
    Time
{
    function setUp() public virtual override {
        vm.warp(START);
        _enter();
        vm.recordLogs();
        med = _deploy(admin, Miner.EASY);
        replica = new Replica(address(med));
        replica.replay(vm.getRecordedLogs());
        for (uint256 i = 0; i < CUSTODIANS; i++) {
            _sends(admin, abi.encodeCall(IMedShare.admitCustodian, (custodians[i])), Bounds.ADMIT);
            for (uint256 j = 2 * i; j < 2 * i + 2; j++) {
                bytes memory input = abi.encodeCall(IMedShare.registerNode, (nodes[j].addr, SEALING_KEY, ""));
                _sends(custodians[i], input, Bounds.registerNode(0));
            }
        }
        for (uint256 i = 0; i < REQUESTORS; i++) {
            Registration memory registration = _registration(requestors[i], credentials[i]);
            bytes memory signature = _sign(keys[i], Messages.registration(registration));
            // Each custodian vouches for some.
            address node_ = nodes[(2 * i) % 6].addr;
            uint256 bound_ = Bounds.REGISTER + (_asksCode(requestors[i], Hand.Own) ? Bounds.WALLET : 0);
            _sends(node_, abi.encodeCall(IMedShare.registerRequestor, (registration, signature)), bound_);
            threads[requestors[i]] = replica.threadHead(requestors[i]);
        }
        threads[stranger] = replica.threadHead(stranger);
        for (uint256 i = 0; i < 2 * CUSTODIANS; i++) {
            _publishes(custodians[i / 2], datasets[i % 2], uint32(1 + i / 2));
        }
    }

    /// @dev All four responses, the later ones from this violation on.
    function _publishes(address custodian, DatasetId dataset, uint32 threshold) private {
        Response[] memory responses = new Response[](4);
        for (uint8 i = 0; i < 4; i++) {
            responses[i] = Response(ActionKind(i), i == 0 ? 1 : threshold);
        }
        _keep(custodian, dataset, responses);
        bytes memory input =
            abi.encodeCall(IMedShare.publishDataset, (dataset, "descriptor", new bytes32[](0), responses));
        _sends(custodian, input, Bounds.publish(0, 0, 4));
    }

    function _sends(address from, bytes memory input, uint256 bound_) private {
        _expect(from, input, bound_, FaultSet.none());
    }

    /// @dev The handlers, each as often as its weight.
    function _handlers() internal pure returns (bytes4[] memory list) {
        list = new bytes4[](64);
        uint256 length = 0;
        length = _weigh(list, length, this.issue.selector, 6);
        length = _weigh(list, length, this.anchorReports.selector, 4);
        length = _weigh(list, length, this.reportViolation.selector, 4);
        length = _weigh(list, length, this.reportTampering.selector, 2);
        length = _weigh(list, length, this.revoke.selector, 2);
        length = _weigh(list, length, this.regrant.selector, 5);
        length = _weigh(list, length, this.retrieve.selector, 1);
        length = _weigh(list, length, this.registerRequestor.selector, 2);
        length = _weigh(list, length, this.changeMood.selector, 1);
        length = _weigh(list, length, this.delegate.selector, 1);
        length = _weigh(list, length, this.suspend.selector, 1);
        length = _weigh(list, length, this.reinstate.selector, 2);
        length = _weigh(list, length, this.allowRequests.selector, 2);
        length = _weigh(list, length, this.registerNode.selector, 3);
        length = _weigh(list, length, this.removeNode.selector, 1);
        length = _weigh(list, length, this.publishDataset.selector, 3);
        length = _weigh(list, length, this.withdrawDataset.selector, 1);
        length = _weigh(list, length, this.admitOrRemove.selector, 2);
        length = _weigh(list, length, this.setWorkLimit.selector, 1);
        length = _weigh(list, length, this.moveRole.selector, 1);
        length = _weigh(list, length, this.intrude.selector, 2);
        length = _weigh(list, length, this.pass.selector, 2);
        assembly ("memory-safe") {
            mstore(list, length)
        }
    }

    function _weigh(bytes4[] memory list, uint256 at, bytes4 handler, uint256 weight) private pure returns (uint256) {
        for (uint256 i = 0; i < weight; i++) {
            list[at++] = handler;
        }
        return at;
    }
}
