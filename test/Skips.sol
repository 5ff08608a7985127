// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IMedShareEvents} from "../contracts/interfaces/IMedShareEvents.sol";
import {Item, State} from "../contracts/interfaces/Types.sol";
import {Base} from "./Base.t.sol";

/// @notice How a skipped item is expected: told with the reason, and without a trace otherwise.
abstract contract Skips is Base {
    function _skip(Item memory item, bytes memory reason) internal {
        bytes32 head = med.threadHead(item.request.requestor);
        _skipWith(item, reason);
        _assertState(_idOf(item.request), State.None);
        assertEq(med.threadHead(item.request.requestor), head, "a skipped item leaves no block");
    }

    function _skipWith(Item memory item, bytes memory reason) internal {
        vm.expectEmit(address(med));
        emit IMedShareEvents.ItemSkipped(_idOf(item.request), node.addr, reason);
        _issue(item);
    }
}
