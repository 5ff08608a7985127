// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAccessControl} from "@openzeppelin/contracts/access/IAccessControl.sol";
import {IMedShare} from "../contracts/interfaces/IMedShare.sol";
import {IMedShareErrors} from "../contracts/interfaces/IMedShareErrors.sol";
import {Base} from "./Base.t.sol";
import {Miner} from "./Miner.sol";

/// @notice All that governance can do, as somebody tries it: everything works, or nothing does.
abstract contract Powers is Base {
    bytes32 internal constant ROLE = 0x00;

    function _assertGoverns(address who) internal {
        _tryAll(who, true);
    }

    function _assertDoesNotGovern(address who) internal {
        _tryAll(who, false);
    }

    function _expectUnauthorized(address who) internal {
        vm.expectRevert(_unauthorized(who));
    }

    /// @dev The second of each pair undoes the first, so that all can be tried again.
    function _tryAll(address who, bool may) private {
        address heir = makeAddr("heir");
        bytes memory refusal = _unauthorized(who);
        _try(who, may, refusal, abi.encodeCall(IMedShare.setWorkLimit, (Miner.EASY)));
        _try(who, may, refusal, abi.encodeCall(IMedShare.admitCustodian, (heir)));
        _try(who, may, refusal, abi.encodeCall(IMedShare.removeCustodian, (heir)));
        _try(who, may, refusal, abi.encodeCall(IAccessControl.grantRole, (ROLE, heir)));
        _try(who, may, refusal, abi.encodeCall(IAccessControl.revokeRole, (ROLE, heir)));
        refusal = abi.encodeWithSelector(IMedShareErrors.NotPermitted.selector, who);
        _try(who, may, refusal, abi.encodeCall(IMedShare.suspend, (requestor.addr)));
        _try(who, may, refusal, abi.encodeCall(IMedShare.reinstate, (requestor.addr)));
    }

    function _try(address who, bool may, bytes memory refusal, bytes memory call) private {
        vm.prank(who);
        (bool done, bytes memory answer) = address(med).call(call);
        assertEq(done, may, vm.toString(bytes.concat(bytes4(call))));
        if (!done) assertEq(answer, refusal);
    }

    function _unauthorized(address who) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IAccessControl.AccessControlUnauthorizedAccount.selector, who, ROLE);
    }
}
