// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {PackageId, PackageView, State} from "../contracts/interfaces/Types.sol";
import {Base} from "./Base.t.sol";

contract PackageOfTest is Base {
    function test_ofAnUnknownPackageIsEmpty(bytes32 id) public view {
        PackageView memory nothing;
        assertEq(abi.encode(med.packageOf(PackageId.wrap(id))), abi.encode(nothing));
    }

    function test_expiresAtItsTimeInEveryStateButRetrieved() public {
        PackageId issued = _issued();
        PackageId active = _issued();
        _anchor(active);
        PackageId revoked = _revoked();
        PackageId retrieved = _issued();
        _retrieve(retrieved);
        vm.warp(vm.getBlockTimestamp() + 30 days - 1);
        _assertState(issued, State.Issued);
        _assertState(active, State.Active);
        _assertState(revoked, State.Revoked);
        vm.warp(vm.getBlockTimestamp() + 1);
        _assertState(issued, State.Expired);
        _assertState(active, State.Expired);
        _assertState(revoked, State.Expired);
        _assertState(retrieved, State.Retrieved);
    }

    function test_countsViolationsOverThePackagesOfTheDataset() public {
        PackageId first = _issued();
        PackageId second = _issued();
        _violate(first, 1);
        assertEq(med.packageOf(second).violations, 1);
        assertEq(med.packageOf(second).settled, 0);
        _assertState(second, State.Issued);
    }
}
