// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Vm} from "forge-std/Test.sol";
import {DatasetId} from "../../contracts/interfaces/Types.sol";
import {Consortium} from "../Consortium.sol";
import {BurningWallet, Wallet} from "../mocks/Wallets.sol";
import {Dice} from "./Dice.sol";

/// @notice Who takes part: two for governance, three custodians with two nodes each and a node that anyone may take,
/// four requestors (the last one a contract wallet, the one before now and then an account with code, the first two
/// with one credential), a session key, a stranger.
abstract contract Actors is Consortium {
    uint256 internal constant CUSTODIANS = 3;
    uint256 internal constant NODES = 7;
    uint256 internal constant REQUESTORS = 4;
    uint256 private constant WALLET = 3;
    uint256 private constant ACCOUNT = 2; // which may delegate to code

    /// @dev Who signed for a requestor: nobody who ever may, its own key, or the key that its code agrees to.
    enum Hand {
        Nobody,
        Own,
        Keeper
    }

    /// @dev What the account delegates to now (EIP-7702).
    enum Code {
        None,
        Keepers,
        Burning
    }

    DatasetId[2] internal datasets = [DATASET, DatasetId.wrap("discharges-2026")];
    bytes32[3] internal purposes = [PURPOSE, OTHER_PURPOSE, bytes32("DUO:0000007")];
    address[2] internal governors;
    address[CUSTODIANS] internal custodians;
    Vm.Wallet[] internal nodes; // 2 i and 2 i + 1 are custodian i's by habit
    Vm.Wallet[] internal keys; // what the requestors sign with
    address[REQUESTORS] internal requestors;
    bytes32[REQUESTORS] internal credentials;
    /// @dev Whose signatures the account's code agrees to.
    Vm.Wallet private keeper;
    Code internal delegatedTo;
    address private keepersCode;
    address private burningCode;
    bytes private honestWallet;
    /// @dev Whether the contract wallet spends all its gas now, instead of answering.
    bool internal burns;

    function _enter() internal {
        governors = [admin, makeAddr("governance to come")];
        custodians = [hospital, clinic, makeAddr("institute")];
        for (uint256 i = 0; i < NODES; i++) {
            nodes.push(vm.createWallet(string.concat("node ", vm.toString(i))));
        }
        for (uint256 i = 0; i < REQUESTORS; i++) {
            keys.push(vm.createWallet(string.concat("requestor ", vm.toString(i))));
            requestors[i] = keys[i].addr;
            credentials[i] = keccak256(abi.encode("credential", i));
        }
        credentials[1] = credentials[0];
        sessionKey = vm.createWallet("session key");
        keeper = vm.createWallet("keeper");
        requestors[WALLET] = address(new Wallet(keys[WALLET].addr));
        honestWallet = requestors[WALLET].code;
        keepersCode = address(new Wallet(keeper.addr));
        burningCode = address(new BurningWallet());
    }

    // ---------------------------------------------------------------- code

    function _burn(bool burns_) internal {
        burns = burns_;
        vm.etch(requestors[WALLET], burns_ ? burningCode.code : honestWallet);
    }

    function _delegateTo(Code code) internal {
        delegatedTo = code;
        bytes memory designator = abi.encodePacked(hex"ef0100", code == Code.Keepers ? keepersCode : burningCode);
        vm.etch(requestors[ACCOUNT], code == Code.None ? bytes("") : designator);
    }

    // ---------------------------------------------------------------- picks

    function _custodian(Dice memory dice) internal view returns (address) {
        return custodians[dice.below(CUSTODIANS)];
    }

    function _requestor(Dice memory dice) internal view returns (address) {
        return requestors[dice.below(REQUESTORS)];
    }

    /// @dev Anybody at all: in any role or none.
    function _anybody(Dice memory dice) internal view returns (address) {
        uint256 role = dice.below(5);
        if (role == 0) return governors[dice.below(2)];
        if (role == 1) return _custodian(dice);
        if (role == 2) return nodes[dice.below(NODES)].addr;
        if (role == 3) return _requestor(dice);
        return stranger;
    }

    /// @dev The one given, but now and then anybody at all.
    function _mostly(Dice memory dice, address rightful) internal view returns (address) {
        return dice.oneIn(8) ? _anybody(dice) : rightful;
    }

    // ---------------------------------------------------------------- signatures

    /// @dev What a requestor's own key signs; for the stranger, who has none that counts, nonsense.
    function _signAs(address requestor_, bytes32 structHash) internal view returns (bytes memory) {
        for (uint256 i = 0; i < REQUESTORS; i++) {
            if (requestors[i] == requestor_) return _sign(keys[i], structHash);
        }
        return abi.encodePacked(structHash, structHash, uint8(27));
    }

    /// @dev Its own; for the account also the keeper's, the more so when that counts.
    function _hand(Dice memory dice, address requestor_) internal view returns (Hand) {
        bool keepers = requestor_ == requestors[ACCOUNT] && dice.oneIn(delegatedTo == Code.Keepers ? 2 : 8);
        return keepers ? Hand.Keeper : Hand.Own;
    }

    /// @dev The same mostly; now and then nobody's.
    function _handOrNobodys(Dice memory dice, address requestor_, uint256 odds) internal view returns (Hand) {
        return dice.oneIn(odds) ? Hand.Nobody : _hand(dice, requestor_);
    }

    function _signBy(Hand hand, address requestor_, bytes32 structHash) internal view returns (bytes memory) {
        if (hand == Hand.Own) return _signAs(requestor_, structHash);
        return _sign(hand == Hand.Keeper ? keeper : sessionKey, structHash);
    }

    /// @dev Whether such a signature counts now: an account's own always does, whatever code it has.
    function _counts(address requestor_, Hand hand) internal view returns (bool) {
        if (hand == Hand.Own) return requestor_ != requestors[WALLET] || !burns;
        return hand == Hand.Keeper && delegatedTo == Code.Keepers;
    }

    /// @dev Whether code is asked about it, which may spend its allowance: not if the own key did it.
    function _asksCode(address requestor_, Hand hand) internal view returns (bool) {
        if (requestor_ == requestors[ACCOUNT]) return delegatedTo != Code.None && hand != Hand.Own;
        return requestor_ == requestors[WALLET];
    }

    function _isWallet(address requestor_) internal view returns (bool) {
        return requestor_ == requestors[WALLET];
    }

    function _delegates(address requestor_) internal view returns (bool) {
        return requestor_ == requestors[ACCOUNT] && delegatedTo != Code.None;
    }

    function _keyOf(address node_) internal view returns (Vm.Wallet memory) {
        for (uint256 i = 0; i < NODES; i++) {
            if (nodes[i].addr == node_) return nodes[i];
        }
        return sessionKey;
    }
}
