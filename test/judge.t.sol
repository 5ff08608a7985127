// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IMedShareErrors} from "../contracts/interfaces/IMedShareErrors.sol";
import {Sensitivity, Verdict} from "../contracts/interfaces/Types.sol";
import {Judge} from "../contracts/libraries/Judge.sol";
import {Base} from "./Base.t.sol";

contract JudgeTest is Base {
    /// @notice Every input there is, against the file that also drives crates/protocol.
    function test_vectors() public view {
        bytes memory answers = bytes(vm.parseJsonString(vm.readFile("test/vectors/judge.json"), ".answers"));
        assertEq(answers.length, 2 * 64 * 64 * 8);
        uint256 at = 0;
        for (uint8 sensitivity = 0; sensitivity < 2; sensitivity++) {
            for (uint8 granted = 0; granted < 64; granted++) {
                for (uint8 exempt = 0; exempt < 64; exempt++) {
                    for (uint8 action = 0; action < 8; action++) {
                        Verdict verdict = Judge.judge(Sensitivity(sensitivity), granted, exempt, action);
                        if (letter(verdict) != answers[at++]) fail(sensitivity, granted, exempt, action);
                    }
                }
            }
        }
    }

    function test_theContractAsksTheLibrary(bool high, uint8 granted, uint8 exempt, uint8 action) public view {
        Sensitivity sensitivity = high ? Sensitivity.High : Sensitivity.Low;
        action = action % 8;
        Verdict verdict = med.judge(sensitivity, granted, exempt, action);
        assertEq(uint8(verdict), uint8(Judge.judge(sensitivity, granted, exempt, action)));
    }

    function test_refusesAnUnknownAction(uint8 action) public {
        action = uint8(bound(action, 8, 255));
        vm.expectRevert(abi.encodeWithSelector(IMedShareErrors.UnknownAction.selector, action));
        med.judge(Sensitivity.High, 0, 0, action);
    }

    function test_violationsAreTheActionsThatTheJudgeCallsSo(bool high, uint8 granted, uint8 exempt, uint8 actions)
        public
        pure
    {
        Sensitivity sensitivity = high ? Sensitivity.High : Sensitivity.Low;
        uint8 found = Judge.violations(sensitivity, granted, exempt, actions);
        for (uint8 action = 0; action < 8; action++) {
            bool reported = (actions >> action) & 1 == 1;
            bool violates = Judge.judge(sensitivity, granted, exempt, action) == Verdict.Violation;
            assertEq((found >> action) & 1 == 1, reported && violates);
        }
    }

    function letter(Verdict verdict) private pure returns (bytes1) {
        if (verdict == Verdict.Permitted) return "P";
        return verdict == Verdict.Ignored ? bytes1("I") : bytes1("V");
    }

    function fail(uint8 sensitivity, uint8 granted, uint8 exempt, uint8 action) private pure {
        revert(
            string.concat(
                "sensitivity ",
                vm.toString(sensitivity),
                ", granted ",
                vm.toString(granted),
                ", exempt ",
                vm.toString(exempt),
                ", action ",
                vm.toString(action)
            )
        );
    }
}
