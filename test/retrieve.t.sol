// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IMedShareErrors} from "../contracts/interfaces/IMedShareErrors.sol";
import {IMedShareEvents} from "../contracts/interfaces/IMedShareEvents.sol";
import {PackageId, PackageView, State} from "../contracts/interfaces/Types.sol";
import {Base} from "./Base.t.sol";
import {Messages} from "./Messages.sol";

contract RetrieveTest is Base {
    uint64 private constant TIME = 1_800_000_000_123;

    function test_finalFromIssuedActiveAndRevoked() public {
        PackageId issued = _issued();
        PackageId active = _issued();
        _anchor(active);
        PackageId revoked = _revoked();
        PackageView memory before = med.packageOf(active);
        bytes32 deletion = Messages.digest(address(med), Messages.deletion(issued, TIME));
        vm.expectEmit(address(med));
        emit IMedShareEvents.PackageRetrieved(issued, hospital, TIME, deletion);
        retrieve(hospital, issued);
        retrieve(node.addr, active);
        retrieve(hospital, revoked);
        _assertState(issued, State.Retrieved);
        _assertOnlyState(before, active, State.Retrieved);
        _assertState(revoked, State.Retrieved);
        _expire();
        _assertState(issued, State.Retrieved);
    }

    function test_refusesEveryOtherState() public {
        PackageId package = _issued();
        retrieve(hospital, package);
        _expectWrongState(package, State.Retrieved);
        retrieve(hospital, package);
        package = _issued();
        _expire();
        _expectWrongState(package, State.Expired);
        retrieve(hospital, package);
    }

    function test_onlyTheOwner(address caller) public {
        vm.assume(caller != hospital && caller != node.addr);
        PackageId package = _issued();
        address[4] memory callers = [caller, clinicNode.addr, admin, requestor.addr];
        for (uint256 i = 0; i < callers.length; i++) {
            vm.expectRevert(abi.encodeWithSelector(IMedShareErrors.NotOwner.selector, package, callers[i]));
            retrieve(callers[i], package);
        }
    }

    function test_refusesWithoutTheRequestorsDeletion() public {
        PackageId package = _issued();
        bytes memory signature = _sign(requestor, Messages.deletion(package, TIME));
        bytes memory foreign = _sign(node, Messages.deletion(package, TIME));
        bytes memory ofAnother = _sign(requestor, Messages.deletion(_issued(), TIME));
        bytes memory reason = abi.encodeWithSelector(IMedShareErrors.BadSignature.selector, requestor.addr);
        vm.startPrank(hospital);
        vm.expectRevert(reason);
        med.retrieve(package, TIME + 1, signature);
        vm.expectRevert(reason);
        med.retrieve(package, TIME, foreign);
        vm.expectRevert(reason);
        med.retrieve(package, TIME, ofAnother);
        vm.expectRevert(reason);
        med.retrieve(package, TIME, _malleable(signature));
        vm.stopPrank();
    }

    function test_refusesAnUnknownPackage() public {
        vm.expectRevert(abi.encodeWithSelector(IMedShareErrors.UnknownPackage.selector, NO_PACKAGE));
        retrieve(hospital, NO_PACKAGE);
    }

    function retrieve(address caller, PackageId package) private {
        // vm.sign must not come between an expected revert and the call.
        (uint8 v, bytes32 r, bytes32 s) =
            vm.sign(requestor.privateKey, Messages.digest(address(med), Messages.deletion(package, TIME)));
        vm.prank(caller);
        med.retrieve(package, TIME, abi.encodePacked(r, s, v));
    }
}
