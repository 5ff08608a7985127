// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Signatures} from "../../contracts/libraries/Signatures.sol";

/// @notice The most that a call may cost on cold storage, without what every transaction pays for itself and its data:
/// a constant, or a function of the call's own input. How much others have done, packages, nodes, violations, custodians,
/// is in none of them. About a tenth above the dearest call that was seen.
library Bounds {
    uint256 internal constant ROLE = 36_000;
    uint256 internal constant ADMIT = 82_000;
    uint256 internal constant WORK_LIMIT = 14_000;
    uint256 internal constant SUSPENSION = 40_000;
    uint256 internal constant REFUSAL = 15_000;
    uint256 internal constant WITHDRAW = 16_000;
    uint256 internal constant REVOKE = 26_000;
    uint256 internal constant REGRANT = 27_000;
    uint256 internal constant RETRIEVE = 37_000;
    uint256 internal constant VIOLATION = 99_000; // with all four responses
    uint256 internal constant TAMPERING = 104_000;
    uint256 internal constant REGISTER = 120_000;
    /// @notice Whatever a stranger tries is refused before it gets dear.
    uint256 internal constant STRANGER = 25_000;

    /// @notice A wallet with code may add its allowance for each signature that is asked of it.
    uint256 internal constant WALLET = Signatures.WALLET_GAS;

    uint256 internal constant REMOVE_NODE = 75_000; // with the longest endpoint, eight slots
    /// @dev The longest endpoint that a node can have had before, and that is cleared.
    uint256 private constant OLD_ENDPOINT = 45_000;
    uint256 private constant EXPEL = 40_000;
    uint256 private constant NODE = 140_000;
    uint256 private constant ENDPOINT_BYTE = 800; // 22,100 a word, and the event

    uint256 private constant PUBLISH = 160_000; // the first time
    uint256 private constant PURPOSE = 47_000; // two slots
    uint256 private constant OLD_PURPOSE = 12_000;
    uint256 private constant RESPONSE = 2_000;

    uint256 private constant ISSUE = 15_000;
    uint256 private constant ITEM = 168_000;

    uint256 private constant ANCHOR = 9_000;
    uint256 private constant SEGMENT = 9_500;
    uint256 private constant ENTRY = 2_300; // one that claims another target than the limit

    /// @param nodes How many it has, at most 64.
    function removeCustodian(uint256 nodes) internal pure returns (uint256) {
        return EXPEL + REMOVE_NODE * nodes;
    }

    function registerNode(uint256 endpointBytes) internal pure returns (uint256) {
        return NODE + OLD_ENDPOINT + ENDPOINT_BYTE * endpointBytes;
    }

    /// @param oldPurposes How many the same custodian has listed for the same dataset before.
    function publish(uint256 purposes, uint256 oldPurposes, uint256 responses) internal pure returns (uint256) {
        return PUBLISH + PURPOSE * purposes + OLD_PURPOSE * oldPurposes + RESPONSE * responses;
    }

    function issue(uint256 items, uint256 walletItems) internal pure returns (uint256) {
        return ISSUE + ITEM * items + WALLET * walletItems;
    }

    function anchor(uint256 segments, uint256 entries) internal pure returns (uint256) {
        return ANCHOR + SEGMENT * segments + ENTRY * entries;
    }
}
