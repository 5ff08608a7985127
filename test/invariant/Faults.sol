// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAccessControl} from "@openzeppelin/contracts/access/IAccessControl.sol";

/// @notice Everything that is wrong with a call or an item. None: it must succeed. Else it must fail, with one of
/// these errors to the byte; which one comes first is the contract's own affair.
struct Faults {
    bytes[] errors;
    uint256 count;
}

using FaultSet for Faults global;

library FaultSet {
    uint256 private constant MOST = 16;

    function none() internal pure returns (Faults memory) {
        return Faults(new bytes[](MOST), 0);
    }

    function add(Faults memory faults, bytes memory error_) internal pure {
        faults.errors[faults.count++] = error_;
    }

    function add(Faults memory faults, bytes4 selector, address who) internal pure {
        faults.add(abi.encodeWithSelector(selector, who));
    }

    function add(Faults memory faults, bytes4 selector, bytes32 what) internal pure {
        faults.add(abi.encodeWithSelector(selector, what));
    }

    function hold(Faults memory faults, bytes memory error_) internal pure returns (bool) {
        for (uint256 i = 0; i < faults.count; i++) {
            if (keccak256(faults.errors[i]) == keccak256(error_)) return true;
        }
        return false;
    }

    function unauthorized(address caller) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(IAccessControl.AccessControlUnauthorizedAccount.selector, caller, bytes32(0));
    }
}
