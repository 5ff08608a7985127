// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {DatasetId, Response} from "../contracts/interfaces/Types.sol";
import {Base} from "./Base.t.sol";

/// @notice What is not there; what is there, the tests of each function that changes it compare.
contract DatasetOfTest is Base {
    function test_datasetOf(address custodian, DatasetId dataset) public view {
        vm.assume(custodian != hospital);
        (bytes32 descriptor, bytes32[] memory purposes, Response[] memory responses) = med.datasetOf(custodian, dataset);
        assertEq(descriptor, 0);
        assertEq(purposes.length, 0);
        assertEq(responses.length, 0);
    }
}
