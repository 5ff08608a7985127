// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Test} from "forge-std/Test.sol";
import {Sensitivity, Verdict} from "../../contracts/interfaces/Types.sol";
import {Judge} from "../../contracts/libraries/Judge.sol";

/// @notice The judge (P18), for every sensitivity, grant, exemption and action.
contract JudgeProof is Test {
    function check_judgeIsItsTable(bool high, uint8 granted, uint8 exempt, uint8 action) public pure {
        vm.assume(action < 8);
        Sensitivity sensitivity = high ? Sensitivity.High : Sensitivity.Low;
        Verdict verdict = Judge.judge(sensitivity, granted, exempt, action);
        bool exempted = !high && (exempt >> action) & 1 == 1;
        bool allowed = (granted >> action) & 1 == 1;
        if (action == 7) assert(verdict == Verdict.Violation);
        else if (action == 6) assert(verdict == Verdict.Permitted);
        else if (exempted) assert(verdict == Verdict.Ignored);
        else assert(verdict == (allowed ? Verdict.Permitted : Verdict.Violation));
    }

    function check_thereAreEightActions(bool high, uint8 granted, uint8 exempt, uint8 action) public view {
        bytes memory input = abi.encodeCall(this.judge, (high, granted, exempt, action));
        (bool done,) = address(this).staticcall(input);
        assert(done == (action < 8));
    }

    function check_violationsAreWhatTheJudgeCallsSo(bool high, uint8 granted, uint8 exempt, uint8 actions, uint8 action)
        public
        pure
    {
        vm.assume(action < 8);
        Sensitivity sensitivity = high ? Sensitivity.High : Sensitivity.Low;
        bool found = (Judge.violations(sensitivity, granted, exempt, actions) >> action) & 1 == 1;
        bool reported = (actions >> action) & 1 == 1;
        assert(found == (reported && Judge.judge(sensitivity, granted, exempt, action) == Verdict.Violation));
    }

    function judge(bool high, uint8 granted, uint8 exempt, uint8 action) external pure returns (Verdict) {
        return Judge.judge(high ? Sensitivity.High : Sensitivity.Low, granted, exempt, action);
    }
}
