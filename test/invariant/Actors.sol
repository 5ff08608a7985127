// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Vm} from "forge-std/Test.sol";
import {DatasetId} from "../../contracts/interfaces/Types.sol";
import {Consortium} from "../Consortium.sol";
import {BurningWallet, Wallet} from "../mocks/Wallets.sol";
import {Dice} from "./Dice.sol";

/// @notice Who takes part: two for governance, three custodians with two nodes each and a node that anyone may take,
/// four requestors (the last one a contract wallet, the first two with one credential), a session key, a stranger.
abstract contract Actors is Consortium {
    uint256 internal constant CUSTODIANS = 3;
    uint256 internal constant NODES = 7;
    uint256 internal constant REQUESTORS = 4;

    DatasetId[2] internal datasets = [DATASET, DatasetId.wrap("discharges-2026")];
    bytes32[3] internal purposes = [PURPOSE, OTHER_PURPOSE, bytes32("DUO:0000007")];
    address[2] internal governors;
    address[CUSTODIANS] internal custodians;
    Vm.Wallet[] internal nodes; // 2 i and 2 i + 1 are custodian i's by habit
    Vm.Wallet[] internal keys; // what the requestors sign with
    address[REQUESTORS] internal requestors;
    bytes32[REQUESTORS] internal credentials;
    bytes internal honestWallet;
    bytes internal burningWallet;
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
        requestors[REQUESTORS - 1] = address(new Wallet(keys[REQUESTORS - 1].addr));
        honestWallet = requestors[REQUESTORS - 1].code;
        burningWallet = address(new BurningWallet()).code;
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

    /// @dev Whether a signature that its own key made counts now.
    function _answers(address requestor_) internal view returns (bool) {
        return requestor_ != requestors[REQUESTORS - 1] || !burns;
    }

    function _keyOf(address node_) internal view returns (Vm.Wallet memory) {
        for (uint256 i = 0; i < NODES; i++) {
            if (nodes[i].addr == node_) return nodes[i];
        }
        return sessionKey;
    }

    /// @dev Whether code is asked, which may spend its allowance.
    function _hasCode(address requestor_) internal view returns (bool) {
        return requestor_ == requestors[REQUESTORS - 1];
    }
}
