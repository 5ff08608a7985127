// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IMedShare} from "../../../contracts/interfaces/IMedShare.sol";
import {IMedShareErrors} from "../../../contracts/interfaces/IMedShareErrors.sol";
import {Class, Registration} from "../../../contracts/interfaces/Types.sol";
import {Messages} from "../../Messages.sol";
import {Bounds} from "../Bounds.sol";
import {Dice} from "../Dice.sol";
import {FaultSet, Faults} from "../Faults.sol";
import {World} from "../World.sol";

/// @notice Requestors sign, nodes send: registrations and rotations of keys; and what
/// code they have.
abstract contract Registrations is World {
    function registerRequestor(uint256 seed) external {
        Dice memory dice = Dice(seed, 0);
        Registration memory registration = _registration(dice);
        address caller = _mostly(dice, _nodeOf(dice, _working(dice)));
        address who = registration.requestor;
        Hand hand = _handOrNobodys(dice, who, 8);
        bytes memory signature = _signBy(hand, who, Messages.registration(registration));
        Faults memory faults = _registrationFaults(registration, caller, _counts(who, hand));
        bytes memory input = abi.encodeCall(IMedShare.registerRequestor, (registration, signature));
        uint256 bound_ = Bounds.REGISTER + (_asksCode(who, hand) ? Bounds.WALLET : 0);
        bytes memory told = abi.encode(caller, registration.sealingKey, registration.class, registration.nonce);
        if (_expectTold(caller, input, bound_, faults, told)) _count("requestor registered");
    }

    /// @notice The contract wallet begins or ends to burn whatever gas it is given.
    function changeMood(uint256 seed) external {
        _burn(!burns && Dice(seed, 0).oneIn(3));
        moved = false;
    }

    /// @notice An account delegates to code, to other code, or to none again (EIP-7702).
    function delegate(uint256 seed) external {
        _delegateTo(Code(Dice(seed, 0).below(3)));
        if (delegatedTo != Code.None) _count("delegated");
        moved = false;
    }

    function _registration(Dice memory dice) internal view returns (Registration memory) {
        uint256 index = dice.below(REQUESTORS);
        address who = dice.oneIn(60) ? address(0) : requestors[index];
        bytes32 key = dice.oneIn(60) ? bytes32(0) : dice.word();
        bytes32 credential = credentials[dice.oneIn(6) ? dice.below(REQUESTORS) : index];
        if (dice.oneIn(60)) credential = 0;
        uint256 nonce = replica.nonceOf(who);
        if (dice.oneIn(10)) nonce = dice.oneIn(2) ? nonce + 1 : 0;
        uint64 deadline = dice.oneIn(12) ? _later(0) - 1 : _later(dice.below(100));
        return Registration(who, key, Class(dice.below(6)), credential, nonce, deadline);
    }

    function _registrationFaults(Registration memory registration, address caller, bool agreed)
        private
        view
        returns (Faults memory faults)
    {
        faults = FaultSet.none();
        address who = registration.requestor;
        if (!_isNode(caller)) faults.add(IMedShareErrors.NotNode.selector, caller);
        if (who == address(0)) faults.add(IMedShareErrors.ZeroValue.selector, bytes32("requestor"));
        if (registration.sealingKey == 0) faults.add(IMedShareErrors.ZeroValue.selector, bytes32("sealingKey"));
        if (registration.credential == 0) faults.add(IMedShareErrors.ZeroValue.selector, bytes32("credential"));
        if (registration.deadline < _later(0)) {
            faults.add(
                abi.encodeWithSelector(
                    IMedShareErrors.DeadlinePassed.selector, registration.deadline, uint256(_later(0))
                )
            );
        }
        uint256 nonce = replica.nonceOf(who);
        if (registration.nonce != nonce) {
            faults.add(abi.encodeWithSelector(IMedShareErrors.BadNonce.selector, nonce, registration.nonce));
        }
        bytes32 old = replica.credentialOf(who);
        if (replica.suspenderOf(old) != address(0)) faults.add(IMedShareErrors.Suspended.selector, old);
        bool taken = replica.suspenderOf(registration.credential) != address(0);
        if (taken) faults.add(IMedShareErrors.Suspended.selector, registration.credential);
        if (!agreed) faults.add(IMedShareErrors.BadSignature.selector, who);
    }
}
