// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Vm} from "forge-std/Test.sol";
import {IMedShare} from "../contracts/interfaces/IMedShare.sol";
import {IMedShareErrors} from "../contracts/interfaces/IMedShareErrors.sol";
import {Item, PackageId, State} from "../contracts/interfaces/Types.sol";
import {Base} from "./Base.t.sol";
import {Messages} from "./Messages.sol";
import {Miner} from "./Miner.sol";
import {BurningWallet, DearWallet, Delegate, ShortWallet, TalkativeWallet, Wallet} from "./mocks/Wallets.sol";

/// @notice Wallets with code, and what gas decides and does not decide.
contract IssueGasTest is Base {
    Vm.Wallet private owner;
    address private wallet;

    function setUp() public override {
        super.setUp();
        owner = vm.createWallet("owner");
        wallet = address(new Wallet(owner.addr));
        _register(wallet, owner, keccak256("another credential"));
    }

    function itemOf(address who, Vm.Wallet memory signer) private returns (Item memory item) {
        item.request = _request();
        item.request.requestor = who;
        item.usage = _usage();
        item.verifier = clinicNode.addr;
        _complete(item);
        item.requestSignature = _sign(signer, Messages.request(item.request));
    }

    function test_contractWallet() public {
        _assertState(_issue(itemOf(wallet, owner)), State.Issued);
        _assertState(_issue(itemOf(wallet, requestor)), State.None);
    }

    function test_delegatedAccount() public {
        vm.etch(requestor.addr, abi.encodePacked(hex"ef0100", new Delegate()));
        _assertState(_issue(itemOf(requestor.addr, requestor)), State.Issued);
        _assertState(_issue(itemOf(requestor.addr, owner)), State.None);
    }

    /// @notice Code that agrees to another key: both count, and the account's own is found good without asking.
    function test_delegatedAccountOfAnotherKey() public {
        vm.etch(requestor.addr, abi.encodePacked(hex"ef0100", new Wallet(owner.addr)));
        _assertState(_issue(itemOf(requestor.addr, owner)), State.Issued);
        _assertState(_issue(itemOf(requestor.addr, requestor)), State.Issued);
        _assertState(_issue(itemOf(requestor.addr, sessionKey)), State.None);
        vm.etch(requestor.addr, abi.encodePacked(hex"ef0100", new BurningWallet()));
        Item[] memory items = _batch(itemOf(requestor.addr, requestor));
        vm.prank(node.addr);
        med.issue{gas: 200_000}(items);
        _assertState(_idOf(items[0].request), State.Issued);
    }

    function test_aLongAnswerCostsNothing() public {
        vm.etch(wallet, address(new TalkativeWallet()).code);
        _assertState(_issue(itemOf(wallet, owner)), State.Issued);
    }

    function test_aShortAnswerIsNone() public {
        vm.etch(wallet, address(new ShortWallet()).code);
        _assertState(_issue(itemOf(wallet, owner)), State.None);
    }

    function test_aBurningWalletSpoilsNoBatch() public {
        Item[] memory items = new Item[](2);
        items[0] = itemOf(wallet, owner);
        items[1] = _item();
        vm.etch(wallet, address(new BurningWallet()).code);
        vm.prank(node.addr);
        med.issue{gas: 3_000_000}(items);
        _assertState(_idOf(items[0].request), State.None);
        _assertState(_idOf(items[1].request), State.Issued);
    }

    /// @notice A gas estimate searches for the least gas with which the transaction succeeds; it must not find one
    /// with which it succeeds by skipping a good item.
    function test_tooLittleGasNeverSkipsAnItem(uint256 gas) public {
        tryWith(_item(), bound(gas, 30_000, 1_200_000));
    }

    function test_tooLittleGasNeverSkipsAContractWalletsItem(uint256 gas) public {
        tryWith(itemOf(wallet, owner), bound(gas, 30_000, 1_200_000));
    }

    /// @notice Nor where the wallet needs its whole allowance, and a long signature, which costs gas to copy, comes first.
    function test_tooLittleGasNeverCutsAWalletsAllowance() public {
        vm.etch(wallet, address(new DearWallet()).code);
        for (uint256 length = 65; length < 200_000; length *= 2000) {
            Item memory item = itemOf(wallet, owner);
            item.requestSignature = new bytes(length);
            bytes memory call = abi.encodeCall(IMedShare.issue, (_batch(item)));
            uint256 gas = 520_000;
            while (!send(call, item, gas)) gas += 500;
        }
    }

    function test_saysThatThereIsTooLittleGas() public {
        Item[] memory items = _batch(itemOf(wallet, owner));
        vm.prank(node.addr);
        vm.expectPartialRevert(IMedShareErrors.GasTooLow.selector);
        med.issue{gas: 400_000}(items);
    }

    function tryWith(Item memory item, uint256 gas) private {
        send(abi.encodeCall(IMedShare.issue, (_batch(item))), item, gas);
    }

    function send(bytes memory call, Item memory item, uint256 gas) private returns (bool done) {
        vm.prank(node.addr);
        (done,) = address(med).call{gas: gas}(call);
        _assertState(_idOf(item.request), done ? State.Issued : State.None);
    }
}
