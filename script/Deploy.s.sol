// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Script} from "forge-std/Script.sol";
import {MedShare} from "../contracts/MedShare.sol";

/// @title Deploys MedShare
/// @notice Environment: ADMIN, the address of governance; WORK_LIMIT, compact bits of the easiest target (optional).
/// For example: `ADMIN=0x… forge script script/Deploy.s.sol --rpc-url … --broadcast --private-key …`
contract Deploy is Script {
    /// @notice About 4,096 hashes a block (P22).
    uint256 public constant DEFAULT_WORK_LIMIT = 0x1f0fffff;

    error WorkLimitTooLarge(uint256 bits);

    /// @notice Deploys with what the environment says.
    function run() external returns (MedShare) {
        return deploy(vm.envAddress("ADMIN"), vm.envOr("WORK_LIMIT", DEFAULT_WORK_LIMIT));
    }

    /// @notice Deploys with the governance and the work limit that are given.
    function deploy(address admin, uint256 workLimit) public returns (MedShare medShare) {
        if (workLimit > type(uint32).max) revert WorkLimitTooLarge(workLimit);
        vm.startBroadcast();
        // The check above: no bit is lost.
        // forge-lint: disable-next-line(unsafe-typecast)
        medShare = new MedShare(admin, uint32(workLimit));
        vm.stopBroadcast();
    }
}
