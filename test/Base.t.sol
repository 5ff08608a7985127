// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Test, Vm} from "forge-std/Test.sol";
import {IAccessControl} from "@openzeppelin/contracts/access/IAccessControl.sol";
import {IERC5267} from "@openzeppelin/contracts/interfaces/IERC5267.sol";
import {
    AccessRequest,
    Class,
    IMedShare,
    Item,
    PackageId,
    Registration,
    Report,
    Response,
    Segment,
    Sensitivity,
    Session,
    State,
    Usage
} from "../contracts/interfaces/IMedShare.sol";
import {Messages} from "./Messages.sol";
import {Miner} from "./Miner.sol";

/// @notice All that the deployed contract can be asked.
interface Deployed is IMedShare, IAccessControl, IERC5267 {}

/// @notice A consortium of two custodians with a node each, one published dataset, and one registered requestor.
abstract contract Base is Test {
    uint256 internal constant START = 1_800_000_000;
    bytes32 internal constant DATASET = "admissions-2026";
    bytes32 internal constant PURPOSE = "HRESCH";
    bytes32 internal constant OTHER_PURPOSE = "DUO:0000042";
    bytes32 internal constant CREDENTIAL = keccak256("credential");
    bytes32 internal constant SEALING_KEY = keccak256("sealing key");
    PackageId internal constant NO_PACKAGE = PackageId.wrap(bytes32(0));

    uint8 internal constant READ = 1;
    uint8 internal constant COPY = 1 << 5;
    uint8 internal constant DECRYPT = 1 << 6;
    uint8 internal constant TAMPERING = 1 << 7;

    Deployed internal med;
    address internal admin = makeAddr("governance");
    address internal hospital = makeAddr("hospital");
    address internal clinic = makeAddr("clinic");
    address internal stranger = makeAddr("stranger");
    Vm.Wallet internal node;
    Vm.Wallet internal clinicNode;
    Vm.Wallet internal requestor;
    Vm.Wallet internal sessionKey;

    uint256 private salts;

    function setUp() public virtual {
        vm.warp(START);
        node = vm.createWallet("hospital node");
        clinicNode = vm.createWallet("clinic node");
        requestor = vm.createWallet("requestor");
        sessionKey = vm.createWallet("session key");
        med = _deploy(admin, Miner.EASY);
        _admit(hospital, node.addr);
        _admit(clinic, clinicNode.addr);
        _register(requestor.addr, requestor, CREDENTIAL);
        _publish(new Response[](0));
    }

    /// @dev From the artifact, so that tests need not compile the contract again.
    function _deploy(address governance, uint32 workLimit) internal returns (Deployed deployed) {
        bytes memory code = abi.encodePacked(vm.getCode("MedShare.sol:MedShare"), abi.encode(governance, workLimit));
        assembly ("memory-safe") {
            deployed := create(0, add(code, 0x20), mload(code))
            if iszero(deployed) {
                returndatacopy(mload(0x40), 0, returndatasize())
                revert(mload(0x40), returndatasize())
            }
        }
    }

    // ---------------------------------------------------------------- participants

    function _admit(address custodian, address itsNode) internal {
        vm.prank(admin);
        med.admitCustodian(custodian);
        vm.prank(custodian);
        med.registerNode(itsNode, SEALING_KEY, "https://node.example");
    }

    function _registration(address who, bytes32 credential) internal view returns (Registration memory) {
        return Registration(who, SEALING_KEY, Class.University, credential, med.requestorOf(who).nonce, _later(1 hours));
    }

    function _register(address who, Vm.Wallet memory signer, bytes32 credential) internal {
        Registration memory registration = _registration(who, credential);
        bytes memory signature = _sign(signer, Messages.registration(registration));
        vm.prank(node.addr);
        med.registerRequestor(registration, signature);
    }

    function _publish(Response[] memory responses) internal {
        bytes32[] memory purposes = new bytes32[](2);
        (purposes[0], purposes[1]) = (OTHER_PURPOSE, PURPOSE);
        vm.prank(hospital);
        med.publishDataset(DATASET, keccak256("descriptor"), purposes, responses);
    }

    // ---------------------------------------------------------------- messages

    function _later(uint256 seconds_) internal view returns (uint64) {
        return uint64((vm.getBlockTimestamp() + seconds_) * 1000);
    }

    function _sign(Vm.Wallet memory signer, bytes32 structHash) internal view returns (bytes memory) {
        return _signDigest(signer, Messages.digest(address(med), structHash));
    }

    function _signDigest(Vm.Wallet memory signer, bytes32 digest) internal pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(signer.privateKey, digest);
        return abi.encodePacked(r, s, v);
    }

    /// @dev The same signature with s in the upper half of the curve's order.
    function _malleable(bytes memory signature) internal pure returns (bytes memory) {
        (bytes32 r, bytes32 s) = abi.decode(signature, (bytes32, bytes32));
        uint256 order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141;
        uint8 v = signature[64] == bytes1(uint8(27)) ? 28 : 27;
        return abi.encodePacked(r, order - uint256(s), v);
    }

    function _request() internal returns (AccessRequest memory) {
        bytes32 salt = bytes32(++salts);
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

    function _expectWrongState(PackageId package, State state) internal {
        vm.expectRevert(abi.encodeWithSelector(IMedShare.WrongState.selector, package, state));
    }

    function _segment(PackageId package, uint256 count) internal view returns (Segment memory segment, bytes32 head) {
        head = med.packageOf(package).head;
        segment = Segment(package, head, "");
        for (uint256 i = 0; i < count; i++) {
            bytes memory entry;
            (entry, head) = Miner.mine(_block(head, keccak256(abi.encode("leaf", i))));
            segment.entries = abi.encodePacked(segment.entries, entry);
        }
    }

    function _anchor(PackageId package) internal returns (bytes32 head) {
        Segment[] memory segments = new Segment[](1);
        (segments[0], head) = _segment(package, 1);
        vm.prank(node.addr);
        med.anchorReports(segments);
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
