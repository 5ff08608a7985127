// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Vm} from "forge-std/Test.sol";
import {IMedShareErrors} from "../contracts/interfaces/IMedShareErrors.sol";
import {
    AccessRequest,
    Item,
    PackageId,
    PackageView,
    Report,
    Segment,
    Sensitivity,
    Session,
    State,
    Usage
} from "../contracts/interfaces/Types.sol";
import {Consortium} from "./Consortium.sol";
import {Messages} from "./Messages.sol";
import {Miner} from "./Miner.sol";

/// @notice Requests, packages and reports on top of the consortium.
abstract contract Base is Consortium {
    uint256 private salts;

    // ---------------------------------------------------------------- messages

    function _request() internal returns (AccessRequest memory) {
        // A hash, as what a client draws: small numbers are nearly all zeros, which make cheaper calldata.
        bytes32 salt = keccak256(abi.encode("salt", ++salts));
        return AccessRequest(requestor.addr, hospital, DATASET, PURPOSE, keccak256("selection"), salt, _later(1 hours));
    }

    function _usage() internal view returns (Usage memory) {
        return Usage(Sensitivity.High, READ, 0, 1, _later(30 days), keccak256("contract key"));
    }

    function _idOf(AccessRequest memory request) internal view returns (PackageId) {
        return PackageId.wrap(Messages.digest(address(med), Messages.request(request)));
    }

    // ---------------------------------------------------------------- issue

    function _item() internal returns (Item memory item) {
        item.request = _request();
        item.usage = _usage();
        item.verifier = clinicNode.addr;
        _complete(item);
    }

    /// @dev Fills in what follows from the request, the usage contract and the verifier.
    function _complete(Item memory item) internal {
        item.payloadHash = keccak256("payload");
        item.formDigest = keccak256("form");
        item.validationDeadline = _later(10 minutes);
        item.requestSignature = _sign(requestor, Messages.request(item.request));
        _validate(item, clinicNode);
        item.expectedHead = med.threadHead(item.request.requestor);
        (item.entry,) = Miner.mine(_block(item.expectedHead, keccak256(abi.encode(item.request.salt))));
    }

    function _validate(Item memory item, Vm.Wallet memory verifier) internal view {
        bytes32 hash = Messages.validation(
            _idOf(item.request), item.payloadHash, item.formDigest, item.usage, item.validationDeadline
        );
        item.validationSignature = _sign(verifier, hash);
    }

    function _block(bytes32 previous, bytes32 leaf) internal view returns (Miner.Block memory) {
        return Miner.Block(1, previous, keccak256("root"), uint32(vm.getBlockTimestamp()), Miner.EASY, leaf);
    }

    function _issue(Item memory item) internal returns (PackageId) {
        vm.prank(node.addr);
        med.issue(_batch(item));
        return _idOf(item.request);
    }

    function _itemWith(bytes memory entry) internal returns (Item memory item) {
        item = _item();
        item.entry = entry;
    }

    function _batch(Item memory item) internal pure returns (Item[] memory items) {
        items = new Item[](1);
        items[0] = item;
    }

    function _issued() internal returns (PackageId package) {
        package = _issue(_item());
        assertEq(uint8(_state(package)), uint8(State.Issued));
    }

    // ---------------------------------------------------------------- packages

    function _state(PackageId package) internal view returns (State) {
        return med.packageOf(package).state;
    }

    function _assertState(PackageId package, State state) internal view {
        assertEq(uint8(_state(package)), uint8(state), "state");
    }

    /// @dev That of all a package's view, nothing has changed but its state.
    function _assertOnlyState(PackageView memory before, PackageId package, State state) internal view {
        before.state = state;
        assertEq(abi.encode(med.packageOf(package)), abi.encode(before), "more or less than the state");
    }

    function _expectWrongState(PackageId package, State state) internal {
        vm.expectRevert(abi.encodeWithSelector(IMedShareErrors.WrongState.selector, package, state));
    }

    function _segment(PackageId package, uint256 count)
        internal
        view
        returns (Segment memory segment, bytes memory entries, bytes32 head)
    {
        head = med.packageOf(package).head;
        segment = Segment(package, bytes8(head), uint32(count));
        (entries, head) = _entries(head, count);
    }

    function _entries(bytes32 head, uint256 count) internal view returns (bytes memory entries, bytes32) {
        entries = new bytes(count * 80);
        for (uint256 i = 0; i < count; i++) {
            bytes memory entry;
            (entry, head) = Miner.mine(_block(head, keccak256(abi.encode("leaf", i))));
            assembly ("memory-safe") {
                mcopy(add(add(entries, 0x20), mul(i, 80)), add(entry, 0x20), 80)
            }
        }
        return (entries, head);
    }

    function _single(Segment memory segment) internal pure returns (Segment[] memory segments) {
        segments = new Segment[](1);
        segments[0] = segment;
    }

    function _anchor(PackageId package) internal returns (bytes32 head) {
        Segment memory segment;
        bytes memory entries;
        (segment, entries, head) = _segment(package, 1);
        vm.prank(node.addr);
        med.anchorReports(_single(segment), entries);
        assertEq(med.packageOf(package).head, head);
    }

    function _report(PackageId package, uint32 number, uint8 actions) internal view returns (Report memory) {
        return Report(package, number, keccak256("previous"), actions, _later(0), keccak256("body"));
    }

    function _session(PackageId package) internal view returns (Session memory session, bytes memory signature) {
        session = Session(package, sessionKey.addr, _later(1 hours));
        signature = _sign(requestor, Messages.session(session));
    }

    /// @dev Settles report `number`, a copy that was not granted.
    function _violate(PackageId package, uint32 number) internal {
        Report memory report = _report(package, number, COPY);
        (Session memory session, bytes memory delegation) = _session(package);
        bytes memory signature = _sign(sessionKey, Messages.report(report));
        vm.prank(node.addr);
        med.reportViolation(report, signature, session, delegation);
    }

    function _revoked() internal returns (PackageId package) {
        package = _issued();
        vm.prank(hospital);
        med.revoke(package, 2);
    }

    function _retrieve(PackageId package) internal {
        bytes memory signature = _sign(requestor, Messages.deletion(package, _later(0)));
        vm.prank(hospital);
        med.retrieve(package, _later(0), signature);
    }

    function _removeHospital() internal {
        vm.prank(admin);
        med.removeCustodian(hospital);
    }

    function _expire() internal {
        vm.warp(vm.getBlockTimestamp() + 30 days);
    }
}
