// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAccessControl} from "@openzeppelin/contracts/access/IAccessControl.sol";
import {IMedShareErrors} from "../contracts/interfaces/IMedShareErrors.sol";
import {IMedShareEvents} from "../contracts/interfaces/IMedShareEvents.sol";
import {Item} from "../contracts/interfaces/Types.sol";
import {Header} from "../contracts/libraries/Header.sol";
import {Base} from "./Base.t.sol";
import {Miner} from "./Miner.sol";

contract SetWorkLimitTest is Base {
    function test_sets(uint256 size, uint32 word) public {
        // Compact forms of every size that has any: most four bytes are none.
        uint32 bits = uint32(bound(size, 3, 32) << 24) | uint32(bound(word, 1, 0x7fffff));
        assertGt(Header.target(bits), 0);
        vm.expectEmit(address(med));
        emit IMedShareEvents.WorkLimitSet(bits);
        vm.prank(admin);
        med.setWorkLimit(bits);
        assertEq(med.workLimit(), bits);
    }

    function test_onlyGovernance(address caller) public {
        vm.assume(caller != admin);
        vm.prank(caller);
        vm.expectRevert(
            abi.encodeWithSelector(IAccessControl.AccessControlUnauthorizedAccount.selector, caller, bytes32(0))
        );
        med.setWorkLimit(Miner.HARD);
    }

    function test_refusesWhatIsNoTarget() public {
        uint32[4] memory bad = [uint32(0), 0x1d800001, 0x01003456, 0xff123456];
        for (uint256 i = 0; i < bad.length; i++) {
            vm.prank(admin);
            vm.expectRevert(abi.encodeWithSelector(IMedShareErrors.BadWorkLimit.selector, bad[i]));
            med.setWorkLimit(bad[i]);
        }
    }

    function test_holdsFromTheNextBlockOn() public {
        Item memory item = _item();
        vm.prank(admin);
        med.setWorkLimit(Miner.HARD);
        _issue(item);
        assertEq(med.threadHead(requestor.addr), med.threadOrigin(requestor.addr), "the easy block was skipped");
    }
}
