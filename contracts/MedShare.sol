// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Chains} from "./Chains.sol";
import {Issuer} from "./Issuer.sol";
import {Participants} from "./Participants.sol";
import {Violations} from "./Violations.sol";

/// @title MeDShare: permissions and anchors of shared medical data
/// @notice The one deployed contract. It has no proxy and cannot be changed; governance is its default admin role.
/// What each part does is in docs/contracts.md.
contract MedShare is Issuer, Violations {
    /// @param admin Governance, in production a multisig.
    /// @param workLimitBits Compact form of the easiest target that a block may claim.
    constructor(address admin, uint32 workLimitBits) Participants(admin) Chains(workLimitBits) {}
}
