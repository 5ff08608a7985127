// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Vm} from "forge-std/Test.sol";
import {IMedShare} from "../../contracts/interfaces/IMedShare.sol";
import {
    ActionKind,
    Item,
    PackageId,
    Report,
    Response,
    Segment,
    Session,
    State
} from "../../contracts/interfaces/Types.sol";
import {Header} from "../../contracts/libraries/Header.sol";
import {Base} from "../Base.t.sol";
import {Messages} from "../Messages.sol";
import {Miner} from "../Miner.sol";
import {Gas} from "./Gas.sol";

/// @notice What whole transactions cost: each is one of its own (`isolate`), with cold storage, base cost, calldata and
/// EIP-7623's floor. No byte of a block is zero, so no luck makes one cheaper. The figures are committed in
/// snapshots/transactions.json, and `make contracts` compares them.
/// forge-config: default.isolate = true
contract GasTest is Base {
    /// @dev Sets the lowest bit of every byte: none is zero.
    bytes32 private constant ONES = 0x0101010101010101010101010101010101010101010101010101010101010101;

    uint32 private constant HARDER = 0x203fffff;

    function setUp() public override {
        super.setUp();
        vm.warp(0x6b49d2ff);
    }

    function test_whatIsMeasuredIsWhatIsDeployed() public view {
        bytes memory committed = vm.parseJsonBytes(vm.readFile("contracts/generated/MedShare.json"), ".bytecode");
        assertEq(keccak256(vm.getCode("MedShare.sol:MedShare")), keccak256(committed));
    }

    // ---------------------------------------------------------------- anchor

    function test_anchor100EntriesOfOnePackage() public {
        Segment memory segment = segmentOf(_issued(), 100);
        uint256 gas = anchor(_single(segment));
        keep("anchor: 100 entries of one package, each", gas / 100, 3_480);
    }

    function test_anchor100PackagesWithOneEntryEach() public {
        Segment[] memory segments = new Segment[](100);
        for (uint256 i = 0; i < 100; i++) {
            segments[i] = segmentOf(_issued(), 1);
        }
        keep("anchor: 100 packages with one entry, each", anchor(segments) / 100, 11_500);
    }

    function test_anchorOneAlone() public {
        PackageId package = _issued();
        keep("anchor: one entry alone, the first", anchor(_single(segmentOf(package, 1))), 40_000);
        keep("anchor: one entry alone, a later one", anchor(_single(segmentOf(package, 1))), 40_000);
    }

    /// @notice The long way through `Header.isGood`: nodes claim the limit itself, so none has to take it.
    function test_anchorAnEntryThatClaimsMoreThanItMust() public {
        PackageId package = _issued();
        bytes32 head = med.packageOf(package).head;
        (bytes memory entry, bytes32 hash) = minedFor(HARDER, head);
        Segment[] memory segments = _single(segmentOf(package, 1));
        uint256 gas = transact(node.addr, abi.encodeCall(IMedShare.anchorReports, (segments, entry)));
        assertEq(med.packageOf(package).head, hash);
        keep("anchor: one entry alone, of a harder target than the limit", gas, 40_000);
    }

    // ---------------------------------------------------------------- issue

    function test_issueOneOnAKnownThread() public {
        _issued();
        keep("issue: one alone, known thread", issue(_batch(itemOf(requestor))), 180_000);
    }

    function test_issueOneOnANewThread() public {
        keep("issue: one alone, new thread", issue(_batch(itemOf(requestor))), 200_000);
    }

    function test_issue50OnOneThread() public {
        _issued();
        Item[] memory items = new Item[](50);
        bytes32 head = med.threadHead(requestor.addr);
        for (uint256 i = 0; i < 50; i++) {
            items[i] = itemOf(requestor);
            items[i].expectedHead = head;
            (items[i].entry, head) = mined(head);
        }
        keep("issue: 50 on one known thread, each", issue(items) / 50, 145_000);
    }

    function test_issue50OnAsManyThreads() public {
        Item[] memory items = new Item[](50);
        for (uint256 i = 0; i < 50; i++) {
            Vm.Wallet memory other = vm.createWallet(string.concat("requestor ", vm.toString(i)));
            _register(other.addr, other, keccak256(abi.encode("credential", i)));
            requestor = other; // who signs from here on
            _issue(itemOf(other)); // makes the thread known
            items[i] = itemOf(other);
        }
        keep("issue: 50 on as many known threads, each", issue(items) / 50, 145_000);
    }

    // ---------------------------------------------------------------- state machine

    function test_violation() public {
        keep("violation: revokes the package", violate(), 90_000);
    }

    function test_violationWithResponses() public {
        uint256 start = vm.snapshotState();
        uint256 alone = violate();
        ActionKind[3] memory kinds = [ActionKind.RevokeDataset, ActionKind.RevokeOwner, ActionKind.RefuseRequests];
        string[3] memory names = ["dataset", "owner", "requests"];
        Response[] memory responses = new Response[](3);
        for (uint256 i = 0; i < 3; i++) {
            responses[i] = Response(kinds[i], 1);
            vm.revertToState(start);
            Response[] memory single = new Response[](1);
            single[0] = responses[i];
            _publish(single);
            keep(string.concat("violation: further response, ", names[i]), violate() - alone, 25_000);
        }
        vm.revertToState(start);
        _publish(responses);
        keep("violation: three further responses, each", (violate() - alone) / 3, 25_000);
    }

    function test_revoke() public {
        bytes memory call = abi.encodeCall(IMedShare.revoke, (_issued(), 2));
        uint256 snapshot = vm.snapshotState();
        keep("revoke: by the custodian", transact(hospital, call), 40_000);
        vm.revertToState(snapshot);
        keep("revoke: by a node of it", transact(node.addr, call), 42_500);
    }

    function test_regrantAndRetrieve() public {
        PackageId package = _revoked();
        keep("re-grant", transact(hospital, abi.encodeCall(IMedShare.regrant, (package))), 45_000);
        bytes memory signature = _sign(requestor, Messages.deletion(package, _later(0)));
        bytes memory call = abi.encodeCall(IMedShare.retrieve, (package, _later(0), signature));
        keep("retrieve", transact(hospital, call), 52_000);
    }

    // ---------------------------------------------------------------- what is sent

    function segmentOf(PackageId package, uint32 count) private view returns (Segment memory) {
        return Segment(package, bytes8(med.packageOf(package).head), count);
    }

    function anchor(Segment[] memory segments) private returns (uint256) {
        bytes memory entries;
        for (uint256 i = 0; i < segments.length; i++) {
            bytes32 head = med.packageOf(segments[i].package).head;
            for (uint256 j = 0; j < segments[i].count; j++) {
                bytes memory entry;
                (entry, head) = mined(head);
                entries = abi.encodePacked(entries, entry);
            }
        }
        return transact(node.addr, abi.encodeCall(IMedShare.anchorReports, (segments, entries)));
    }

    function itemOf(Vm.Wallet memory) private returns (Item memory item) {
        item = _item();
        (item.entry,) = mined(item.expectedHead);
    }

    function issue(Item[] memory items) private returns (uint256 gas) {
        gas = transact(node.addr, abi.encodeCall(IMedShare.issue, (items)));
        for (uint256 i = 0; i < items.length; i++) {
            _assertState(_idOf(items[i].request), State.Issued);
        }
    }

    function violate() private returns (uint256) {
        PackageId package = _issued();
        Report memory report = _report(package, 2, COPY);
        (Session memory session, bytes memory delegation) = _session(package);
        bytes memory signature = _sign(sessionKey, Messages.report(report));
        return transact(node.addr, abi.encodeCall(IMedShare.reportViolation, (report, signature, session, delegation)));
    }

    /// @dev A block none of whose bytes is zero.
    function mined(bytes32 previous) private view returns (bytes memory entry, bytes32 hash) {
        return minedFor(Miner.EASY, previous);
    }

    function minedFor(uint32 bits, bytes32 previous) private view returns (bytes memory entry, bytes32 hash) {
        Miner.Block memory block_ = _block(previous, keccak256(abi.encode("leaf", previous)) | ONES);
        (block_.version, block_.root) = (0x01010101, keccak256(abi.encode("root", previous)) | ONES);
        block_.bits = bits;
        uint256 target = Header.target(bits);
        for (uint32 nonce = 0x01010101; entry.length == 0 || Header.asNumber(hash) > target; nonce++) {
            (entry, hash) = Miner.mineFrom(block_, nonce);
        }
    }

    function transact(address from, bytes memory input) private returns (uint256 gas) {
        vm.prank(from);
        (bool done,) = address(med).call(input);
        assertTrue(done, "the call failed");
        gas = vm.lastCallGas().gasTotalUsed;
        assertGe(gas, Gas.floor(input), "EIP-7623");
        assertGe(gas, Gas.BASE + Gas.data(input), "EIP-2028");
    }

    function keep(string memory name, uint256 gas, uint256 bound_) private {
        vm.snapshotValue("transactions", name, gas);
        assertLe(gas, bound_, name);
    }
}
