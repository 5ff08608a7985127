// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {
    AccessRequest,
    DatasetId,
    PackageId,
    Registration,
    Report,
    Session,
    Usage
} from "../contracts/interfaces/Types.sol";
import {Header} from "../contracts/libraries/Header.sol";
import {Inclusion} from "../contracts/libraries/Inclusion.sol";
import {Signatures} from "../contracts/libraries/Signatures.sol";
import {Consortium, Deployed} from "./Consortium.sol";
import {Messages} from "./Messages.sol";
import {Miner} from "./Miner.sol";

/// @notice The vectors that the contract has a part in, beside headers.json and judge.json (header.t.sol, judge.t.sol).
contract VectorsTest is Consortium {
    struct Signature {
        address account;
        bytes32 digest;
        bytes signature;
        bool valid;
    }

    // Forge looks up the name of a described type among all structs of the project: the names below stand nowhere else.
    string private file;
    address private deployment;

    function setUp() public override {}

    // ---------------------------------------------------------------- wycheproof-ecdsa.json

    /// @notice A signature is right when it is the account's with one of the two v that there are.
    function test_signaturesAreJudgedAsWycheproofJudgesThem() public {
        file = vm.readFile("test/vectors/wycheproof-ecdsa.json");
        bytes memory read = vm.parseJsonTypeArray(
            file, ".tests", "VectorSignature(address account,bytes32 digest,bytes signature,bool valid)"
        );
        Signature[] memory tests = abi.decode(read, (Signature[]));
        assertEq(tests.length, 329);
        for (uint256 i = 0; i < tests.length; i++) {
            bool accepted = isKeysWith(tests[i], 27) || isKeysWith(tests[i], 28);
            assertEq(accepted, tests[i].valid, vm.toString(i));
        }
    }

    function isKeysWith(Signature memory one, uint8 v) private view returns (bool) {
        return this.isKeys(one.account, one.digest, abi.encodePacked(one.signature, v));
    }

    function isKeys(address account, bytes32 digest, bytes calldata signature) external pure returns (bool) {
        return Signatures.isKeys(account, digest, signature);
    }

    // ---------------------------------------------------------------- merkle.json

    function test_everyLeafOfEveryLogIsProven() public {
        file = vm.readFile("test/vectors/merkle.json");
        bytes32[] memory leaves = vm.parseJsonBytes32Array(file, ".leaf_hashes");
        for (uint64 size = 1; size <= 8; size++) {
            string memory log = string.concat(".logs[", vm.toString(size), "]");
            bytes32 root = vm.parseJsonBytes32(file, string.concat(log, ".root"));
            bytes32 inHeader = vm.parseJsonBytes32(file, string.concat(log, ".header_root"));
            assertEq(Inclusion.rootInHeader(root, size), inHeader);
            for (uint64 index = 0; index < size; index++) {
                string memory at = string.concat(log, ".inclusion[", vm.toString(index), "]");
                bytes32[] memory proof = vm.parseJsonBytes32Array(file, at);
                for (uint64 claimed = 0; claimed < size; claimed++) {
                    assertEq(this.verify(root, size, claimed, leaves[index], proof), claimed == index);
                }
            }
        }
        assertFalse(vm.keyExistsJson(file, ".logs[9]"), "all were looked at");
    }

    function verify(bytes32 root, uint64 size, uint64 index, bytes32 leaf, bytes32[] calldata proof)
        external
        pure
        returns (bool)
    {
        return Inclusion.verify(root, size, index, leaf, proof);
    }

    // ---------------------------------------------------------------- blocks.json

    /// @notice The contract puts each entry on top of its chain and comes to the hash that the vector's block has.
    function test_blocksAreAnchoredByTheirEntries() public {
        deploy("test/vectors/blocks.json");
        vm.warp(1_700_000_001);
        bytes32 origin = vm.parseJsonBytes32(file, ".parent.origin");
        assertEq(med.threadOrigin(vm.parseJsonAddress(file, ".parent.fields.requestor")), origin);
        extend(".parent", origin);
        bytes32 head = extend(".side[0]", vm.parseJsonBytes32(file, ".parent.leaf"));
        extend(".side[1]", head);
        assertFalse(vm.keyExistsJson(file, ".side[2]"), "all were looked at");
    }

    function extend(string memory block_, bytes32 previous) private view returns (bytes32 head) {
        bytes memory entry = vm.parseJsonBytes(file, string.concat(block_, ".entry"));
        bytes memory body = vm.parseJsonBytes(file, string.concat(block_, ".body"));
        bytes32 leaf = vm.parseJsonBytes32(file, string.concat(block_, ".leaf"));
        head = this.extend(entry, previous);
        assertEq(head, vm.parseJsonBytes32(file, string.concat(block_, ".header_hash")));
        assertEq(this.leafOf(entry), leaf);
        assertEq(sha256(abi.encodePacked(bytes1(0), body)), leaf);
    }

    function extend(bytes calldata entry, bytes32 previous) external view returns (bytes32 head) {
        uint256 bad;
        (head, bad) = Header.extend(entry, previous, Header.limitOf(0x1f0fffff));
        require(bad == 0, "the entry is good");
    }

    function leafOf(bytes calldata entry) external pure returns (bytes32) {
        return Header.leafOf(entry);
    }

    // ---------------------------------------------------------------- package.json

    function test_aRequestIsItsPackageAndItsRequestorsWord() public {
        deploy("test/vectors/package.json");
        string[] memory fields = vm.parseJsonStringArray(file, ".request.selection.fields");
        string memory filter = vm.parseJsonString(file, ".request.selection.filter");
        AccessRequest memory request = AccessRequest(
            vm.parseJsonAddress(file, ".request.requestor"),
            vm.parseJsonAddress(file, ".request.custodian"),
            DatasetId.wrap(vm.parseJsonBytes32(file, ".request.dataset")),
            vm.parseJsonBytes32(file, ".request.purpose"),
            Messages.selection(fields, filter),
            vm.parseJsonBytes32(file, ".request.salt"),
            uint64(vm.parseJsonUint(file, ".request.deadline"))
        );
        bytes32 digest = vm.parseJsonBytes32(file, ".digests.AccessRequest");
        assertEq(PackageId.unwrap(med.packageIdOf(request)), digest);
        assertEq(Messages.digest(deployment, Messages.request(request)), digest);
        bytes memory signature = vm.parseJsonBytes(file, ".request.signature");
        assertTrue(this.isKeys(request.requestor, digest, signature));
        assertFalse(this.isKeys(request.custodian, digest, signature));
    }

    /// @notice The digests that the tests of each function sign, and the contract agrees to.
    function test_messagesHaveTheirDigests() public {
        deploy("test/vectors/package.json");
        Report memory report = abi.decode(
            message(
                "Report", "(bytes32 package,uint32 number,bytes32 previous,uint8 actions,uint64 time,bytes32 body)"
            ),
            (Report)
        );
        same("Report", Messages.report(report));
        same(
            "Session",
            Messages.session(abi.decode(message("Session", "(bytes32 package,address key,uint64 expiry)"), (Session)))
        );
        same("Deletion", Messages.deletion(report.package, report.time));
        Registration memory registration = abi.decode(
            message(
                "Registration",
                "(address requestor,bytes32 sealingKey,uint8 class,bytes32 credential,uint256 nonce,uint64 deadline)"
            ),
            (Registration)
        );
        same("Registration", Messages.registration(registration));
        bytes memory terms = vm.parseJsonType(
            file,
            ".usage",
            "VectorUsage(uint8 sensitivity,uint8 granted,uint8 exempt,uint8 environment,uint64 expiry,bytes32 contractKey)"
        );
        Usage memory usage = abi.decode(terms, (Usage));
        bytes32 payloadHash = vm.parseJsonBytes32(file, ".messages.Validation.payloadHash");
        bytes32 formDigest = vm.parseJsonBytes32(file, ".messages.Validation.formDigest");
        uint64 deadline = uint64(vm.parseJsonUint(file, ".messages.Validation.deadline"));
        same("Validation", Messages.validation(report.package, payloadHash, formDigest, usage, deadline));
    }

    function message(string memory name, string memory members) private view returns (bytes memory) {
        return vm.parseJsonType(file, string.concat(".messages.", name), string.concat("Vector", name, members));
    }

    function same(string memory name, bytes32 structHash) private view {
        bytes32 expected = vm.parseJsonBytes32(file, string.concat(".digests.", name));
        assertEq(Messages.digest(deployment, structHash), expected, name);
    }

    /// @dev The contract at the address, and on the chain, that the file names.
    function deploy(string memory path) private {
        file = vm.readFile(path);
        vm.chainId(vm.parseJsonUint(file, ".chain_id"));
        deployment = vm.parseJsonAddress(file, ".contract");
        deployCodeTo("MedShare.sol:MedShare", abi.encode(admin, Miner.EASY), deployment);
        med = Deployed(deployment);
    }
}
