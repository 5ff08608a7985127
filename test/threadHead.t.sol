// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Base} from "./Base.t.sol";

contract ThreadHeadTest is Base {
    function test_isTheOriginBeforeTheFirstBlock(address who) public view {
        assertEq(med.threadHead(who), med.threadOrigin(who));
    }

    function test_movesWithEachPackageOfThisRequestorOnly() public {
        bytes32 others = med.threadHead(stranger);
        bytes32 before = med.threadHead(requestor.addr);
        _issued();
        assertNotEq(med.threadHead(requestor.addr), before);
        assertEq(med.threadHead(stranger), others);
    }
}
