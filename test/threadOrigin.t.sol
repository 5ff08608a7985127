// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Base} from "./Base.t.sol";

contract ThreadOriginTest is Base {
    function test_isAsSpecified(address who, uint64 chain) public {
        vm.assume(chain != 0);
        vm.chainId(chain);
        bytes memory text = abi.encodePacked("medshare/thread/v1", bytes8(chain), address(med), who);
        assertEq(text.length, 18 + 8 + 20 + 20);
        assertEq(med.threadOrigin(who), sha256(abi.encodePacked(sha256(text))));
    }

    function test_isAnothersForAnother(address one, address other) public view {
        vm.assume(one != other);
        assertNotEq(med.threadOrigin(one), med.threadOrigin(other));
    }
}
