// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Test, Vm} from "forge-std/Test.sol";
import {IAccessControl} from "@openzeppelin/contracts/access/IAccessControl.sol";
import {IERC5267} from "@openzeppelin/contracts/interfaces/IERC5267.sol";
import {IERC165} from "@openzeppelin/contracts/utils/introspection/IERC165.sol";
import {IMedShare} from "../contracts/interfaces/IMedShare.sol";
import {Class, DatasetId, PackageId, Registration, Response} from "../contracts/interfaces/Types.sol";
import {Messages} from "./Messages.sol";
import {Miner} from "./Miner.sol";

/// @notice All that the deployed contract can be asked.
interface Deployed is IMedShare, IAccessControl, IERC165, IERC5267 {
    function DEFAULT_ADMIN_ROLE() external view returns (bytes32);
}

/// @notice A consortium of two custodians with a node each, one published dataset, and one registered requestor.
abstract contract Consortium is Test {
    uint256 internal constant START = 1_800_000_000;
    DatasetId internal constant DATASET = DatasetId.wrap("admissions-2026");
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
}
