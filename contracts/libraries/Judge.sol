// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IMedShareErrors} from "../interfaces/IMedShareErrors.sol";
import {Sensitivity, Verdict} from "../interfaces/Types.sol";

/// @title The usage contract's answers (paper, Algorithm 1; P6, P18)
/// @notice Pure; crates/protocol holds the same function, and test/vectors/judge.json holds both to the same answers.
library Judge {
    /// @notice Bits 0 to 5 of an action bitmap: the actions that a usage contract can grant or exempt.
    uint8 internal constant GRANTABLE = 0x3f;
    uint8 internal constant DECRYPT = 6;
    uint8 internal constant TAMPERING = 7;

    /// @notice The answer to one action; reverts for an action that does not exist.
    function judge(Sensitivity sensitivity, uint8 granted, uint8 exempt, uint8 action) internal pure returns (Verdict) {
        if (action > TAMPERING) revert IMedShareErrors.UnknownAction(action);
        if (action == TAMPERING) return Verdict.Violation;
        if (action == DECRYPT) return Verdict.Permitted;
        uint8 bit = uint8(1 << action);
        // Low and exempted is ignored, granted or not; when sensitivity is high nothing is exempt.
        if (sensitivity == Sensitivity.Low && exempt & bit != 0) return Verdict.Ignored;
        return granted & bit != 0 ? Verdict.Permitted : Verdict.Violation;
    }

    /// @notice The subset of `actions` that are violations: `judge` for all eight at once (`make prove` shows that they
    /// agree on every input).
    function violations(Sensitivity sensitivity, uint8 granted, uint8 exempt, uint8 actions)
        internal
        pure
        returns (uint8)
    {
        uint8 allowed = granted & GRANTABLE;
        if (sensitivity == Sensitivity.Low) allowed |= exempt & GRANTABLE;
        allowed |= uint8(1 << DECRYPT);
        return actions & ~allowed;
    }
}
