// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAccessControl} from "@openzeppelin/contracts/access/IAccessControl.sol";
import {IERC165} from "@openzeppelin/contracts/utils/introspection/IERC165.sol";
import {Base} from "./Base.t.sol";

contract SupportsInterfaceTest is Base {
    function test_rolesAndTheQuestionItself() public view {
        assertTrue(med.supportsInterface(type(IAccessControl).interfaceId));
        assertTrue(med.supportsInterface(type(IERC165).interfaceId));
    }

    function test_nothingElse(bytes4 id) public view {
        vm.assume(id != type(IAccessControl).interfaceId && id != type(IERC165).interfaceId);
        assertFalse(med.supportsInterface(id));
        assertFalse(med.supportsInterface(0xffffffff), "ERC-165 says so");
    }
}
