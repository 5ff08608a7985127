// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IMedShare} from "../contracts/interfaces/IMedShare.sol";
import {IMedShareErrors} from "../contracts/interfaces/IMedShareErrors.sol";
import {PackageId, Segment} from "../contracts/interfaces/Types.sol";
import {Header} from "../contracts/libraries/Header.sol";
import {Signatures} from "../contracts/libraries/Signatures.sol";
import {Base} from "./Base.t.sol";
import {Log} from "./Log.sol";
import {Miner} from "./Miner.sol";

/// @notice What MUST be refused, as far as the contract decides on it: test/vectors/refused.json.
contract RefusedTest is Base, Log {
    struct Bytes {
        bytes data;
        string why;
    }

    struct Number {
        uint32 number;
        string why;
    }

    struct Claim {
        uint64 index;
        bytes32 leaf;
        bytes32[] proof;
        bytes32 root;
        uint64 size;
        string why;
    }

    // Forge looks up the name of a described type among all structs of the project: the names below stand nowhere else.
    string private file;

    function setUp() public override {
        super.setUp();
        file = vm.readFile("test/vectors/refused.json");
    }

    function test_signatures() public view {
        address account = vm.parseJsonAddress(file, ".signatures.account");
        bytes32 digest = vm.parseJsonBytes32(file, ".signatures.digest");
        assertTrue(this.isKeys(account, digest, vm.parseJsonBytes(file, ".signatures.good")));
        Bytes[] memory cases = wrong(".signatures.refused", "RefusedCase(bytes signature,string why)");
        for (uint256 i = 0; i < cases.length; i++) {
            assertFalse(this.isKeys(account, digest, cases[i].data), cases[i].why);
        }
    }

    function isKeys(address account, bytes32 digest, bytes calldata signature) external pure returns (bool) {
        return Signatures.isKeys(account, digest, signature);
    }

    /// @notice A header as an entry, on top of the previous hash that it names.
    function test_headers() public view {
        uint32 limit = uint32(vm.parseJsonUint(file, ".headers.limit"));
        assertTrue(this.isGood(vm.parseJsonBytes(file, ".headers.good"), limit));
        Bytes[] memory cases = wrong(".headers.refused", "RefusedCase(bytes header,string why)");
        for (uint256 i = 0; i < cases.length; i++) {
            assertFalse(this.isGood(cases[i].data, limit), cases[i].why);
        }
    }

    function isGood(bytes calldata header, uint32 limit) external view returns (bool) {
        if (header.length != Header.HEADER_BYTES) return false; // as `verifyInclusion` refuses it
        bytes memory entry = abi.encodePacked(header[:4], header[36:], bytes32("leaf"));
        return this.extends(entry, bytes32(header[4:36]), limit);
    }

    function extends(bytes calldata entry, bytes32 previous, uint32 limit) external view returns (bool) {
        (, uint256 bad) = Header.extend(entry, previous, Header.limitOf(limit));
        return bad == 0;
    }

    function test_targets() public {
        Number[] memory cases =
            abi.decode(vm.parseJsonTypeArray(file, ".targets", "RefusedCase(uint32 bits,string why)"), (Number[]));
        assertGt(cases.length, 0);
        for (uint256 i = 0; i < cases.length; i++) {
            assertEq(Header.target(cases[i].number), 0, cases[i].why);
            vm.expectRevert(abi.encodeWithSelector(IMedShareErrors.BadWorkLimit.selector, cases[i].number));
            vm.prank(admin);
            med.setWorkLimit(cases[i].number);
        }
    }

    /// @notice Entries that are no whole number, or not the number that the segment counts. (The good ones are mined on
    /// top of another head: they are skipped, and not refused.)
    function test_entries() public {
        bytes memory good = vm.parseJsonBytes(file, ".entries.good");
        assertTrue(takes(2, good));
        Bytes[] memory cases = wrong(".entries.refused", "RefusedCase(bytes entries,string why)");
        for (uint256 i = 0; i < cases.length; i++) {
            assertFalse(takes(2, cases[i].data), cases[i].why);
            assertFalse(takes(1, cases[i].data), cases[i].why);
        }
        Number[] memory counts = abi.decode(
            vm.parseJsonTypeArray(file, ".entries.counts", "RefusedCase(uint32 count,string why)"), (Number[])
        );
        assertGt(counts.length, 0);
        for (uint256 i = 0; i < counts.length; i++) {
            assertFalse(takes(counts[i].number, good), counts[i].why);
        }
    }

    function takes(uint32 count, bytes memory entries) private returns (bool done) {
        Segment memory segment = Segment(NO_PACKAGE, bytes8(0), count);
        vm.prank(node.addr);
        (done,) = address(med).call(abi.encodeCall(IMedShare.anchorReports, (_single(segment), entries)));
    }

    /// @notice CVE-2012-2459: a log and the same with its last leaves doubled, which to Bitcoin have one root. Nothing
    /// that the doubled one proves, and no spoiled proof, passes against the header of the other.
    function test_doubledLeavesAndWhatTheyWouldProve() public {
        uint256 i = 0;
        for (; vm.keyExistsJson(file, nameOf(i)); i++) {
            string memory log = nameOf(i);
            bytes32 doubled = rootOf(string.concat(log, ".doubled"));
            bytes32 root = rootOf(string.concat(log, ".leaves")); // last: `leaves` are what is proven below
            assertEq(root, vm.parseJsonBytes32(file, string.concat(log, ".root")));
            assertEq(doubled, vm.parseJsonBytes32(file, string.concat(log, ".doubled_root")));
            assertNotEq(root, doubled);
            (PackageId package, bytes memory header) =
                anchored(vm.parseJsonBytes32(file, string.concat(log, ".header_root")));
            Claim memory claim = Claim(0, 0, new bytes32[](0), root, uint64(leaves.length), "");
            for (; claim.index < leaves.length; claim.index++) {
                claim.leaf = leaves[claim.index];
                claim.proof =
                    vm.parseJsonBytes32Array(file, string.concat(log, ".proofs[", vm.toString(claim.index), "]"));
                assertTrue(holds(package, header, claim));
            }
            Claim[] memory claims = claimsOf(log);
            for (uint256 j = 0; j < claims.length; j++) {
                assertFalse(holds(package, header, claims[j]), claims[j].why);
            }
        }
        assertEq(i, 3);
    }

    function nameOf(uint256 log) private pure returns (string memory) {
        return string.concat(".logs[", vm.toString(log), "]");
    }

    function rootOf(string memory list) private returns (bytes32) {
        leaves = vm.parseJsonBytes32Array(file, list);
        return treeRoot(0, leaves.length);
    }

    function claimsOf(string memory log) private view returns (Claim[] memory claims) {
        string memory shape =
            "RefusedClaim(uint64 index,bytes32 leaf,bytes32[] proof,bytes32 root,uint64 size,string why)";
        bytes memory read = vm.parseJsonTypeArray(file, string.concat(log, ".inclusion"), shape);
        claims = abi.decode(read, (Claim[]));
        assertGt(claims.length, 0);
    }

    /// @dev A package whose newest side-block has this merkle root in its header.
    function anchored(bytes32 headerRoot) private returns (PackageId package, bytes memory header) {
        package = _issued();
        Miner.Block memory block_ = _block(med.packageOf(package).head, "leaf");
        block_.root = headerRoot;
        (bytes memory entry, bytes32 head) = Miner.mine(block_);
        Segment memory segment = Segment(package, bytes8(block_.previous), 1);
        vm.prank(node.addr);
        med.anchorReports(_single(segment), entry);
        assertEq(med.packageOf(package).head, head);
        header = this.headerOf(entry, block_.previous);
    }

    function headerOf(bytes calldata entry, bytes32 previous) external pure returns (bytes memory) {
        return abi.encodePacked(entry[:4], previous, entry[4:48]);
    }

    function holds(PackageId package, bytes memory header, Claim memory claim) private view returns (bool) {
        try med.verifyInclusion(
            address(0), package, header, claim.root, claim.size, claim.index, claim.leaf, claim.proof
        ) returns (
            bool proven
        ) {
            return proven;
        } catch (bytes memory reason) {
            assertEq(bytes4(reason), IMedShareErrors.BadProof.selector, claim.why);
            return false;
        }
    }

    function wrong(string memory list, string memory shape) private view returns (Bytes[] memory cases) {
        cases = abi.decode(vm.parseJsonTypeArray(file, list, shape), (Bytes[]));
        assertGt(cases.length, 0);
    }
}
