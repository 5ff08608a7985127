// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IMedShareErrors} from "../contracts/interfaces/IMedShareErrors.sol";
import {Item, PackageId, Segment, State} from "../contracts/interfaces/Types.sol";
import {Base} from "./Base.t.sol";
import {Log} from "./Log.sol";
import {Miner} from "./Miner.sol";

contract VerifyInclusionTest is Base, Log {
    /// @dev Roots of the first n leaves of the log that Certificate Transparency's own tests use.
    bytes32[8] private roots = [
        bytes32(0x6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d),
        0xfac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125,
        0xaeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77,
        0xd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7,
        0x4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4,
        0x76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef,
        0xddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c,
        0x5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328
    ];

    struct Claim {
        bytes header;
        bytes32 root;
        uint64 size;
        uint64 index;
        bytes32 leaf;
        bytes32[] proof;
    }

    function test_theTreeOfTheseTestsIsThatOfRfc6962() public {
        bytes[8] memory data = [
            bytes(""),
            hex"00",
            hex"10",
            hex"2021",
            hex"3031",
            hex"40414243",
            hex"5051525354555657",
            hex"606162636465666768696a6b6c6d6e6f"
        ];
        for (uint256 i = 0; i < 8; i++) {
            leaves.push(sha256(abi.encodePacked(bytes1(0), data[i])));
            assertEq(treeRoot(0, i + 1), roots[i]);
        }
    }

    function test_provesEveryLeafOfASideChain(uint8 size, uint8 index) public {
        (PackageId package, Claim memory claim) = sideChain(bound(size, 1, 70), index);
        assertTrue(verify(address(0), package, claim));
    }

    function test_provesALeafOfAThread() public {
        Claim memory claim = claimOf(9, 4);
        address who = requestor.addr;
        bytes32 head = med.threadHead(who);
        (bytes memory entry, bytes memory header) = mined(head, claim);
        anchorThread(entry);
        claim.header = header;
        assertTrue(verify(who, NO_PACKAGE, claim));
    }

    function test_refusesAnotherLeafIndexSizeRootOrPath(uint8 size, uint8 index, uint8 field) public {
        (PackageId package, Claim memory claim) = sideChain(bound(size, 2, 40), index);
        field = field % 6;
        if (field == 0) claim.leaf = ~claim.leaf;
        if (field == 1) claim.index = (claim.index + 1) % claim.size;
        if (field == 2) claim.size += 1;
        if (field == 3) claim.root = ~claim.root;
        if (field == 4) claim.proof[0] = ~claim.proof[0];
        if (field == 5) claim.proof = new bytes32[](claim.proof.length + 1);
        assertFalse(verify(address(0), package, claim));
    }

    function test_anInnerNodeIsNoLeafOfItsLog() public {
        // With the size pinned in the header, an inner node can't pass for a leaf of a smaller log (CVE-2012-2459 in
        // another guise).
        (PackageId package, Claim memory claim) = sideChain(4, 0);
        claim.leaf = treeRoot(0, 2);
        claim.proof = new bytes32[](1);
        claim.proof[0] = treeRoot(2, 4);
        claim.size = 2;
        assertFalse(verify(address(0), package, claim));
        claim.size = 4;
        assertFalse(verify(address(0), package, claim));
    }

    function test_aPathIsNoLongerThanItsTreeIsHigh() public {
        // A log of one leaf that was made to look like an inner node: what is below it is no leaf.
        Claim memory claim;
        (claim.size, claim.leaf) = (1, keccak256("below"));
        claim.proof = new bytes32[](1);
        claim.proof[0] = keccak256("beside");
        claim.root = sha256(abi.encodePacked(bytes1(0x01), claim.proof[0], claim.leaf));
        PackageId package = _issued();
        anchorSide(package, claim);
        assertFalse(verify(address(0), package, claim));
        (claim.leaf, claim.proof) = (claim.root, new bytes32[](0));
        assertTrue(verify(address(0), package, claim));
    }

    function test_refusesAHeaderThatIsNotTheHead() public {
        (PackageId package, Claim memory claim) = sideChain(5, 2);
        bytes32 head = med.packageOf(package).head;
        bytes32 next = _anchor(package);
        vm.expectRevert(abi.encodeWithSelector(IMedShareErrors.StaleHead.selector, head, next));
        verify(address(0), package, claim);
    }

    function test_refusesBeforeTheFirstBlock() public {
        Claim memory claim = claimOf(3, 1);
        (, claim.header) = mined(med.threadHead(stranger), claim);
        vm.expectPartialRevert(IMedShareErrors.StaleHead.selector);
        verify(stranger, NO_PACKAGE, claim);
    }

    function test_refusesWhatIsNoProof() public {
        (PackageId package, Claim memory claim) = sideChain(5, 2);
        bytes memory header = claim.header;
        claim.header = abi.encodePacked(header, uint8(0));
        refuse(package, claim);
        claim.header = header;
        claim.index = claim.size;
        refuse(package, claim);
        (claim.index, claim.size) = (0, 0);
        refuse(package, claim);
        claim.size = 5;
        claim.proof = new bytes32[](65);
        refuse(package, claim);
    }

    function test_refusesAnUnknownPackage() public {
        (, Claim memory claim) = sideChain(5, 2);
        PackageId unknown = PackageId.wrap("unknown");
        vm.expectRevert(abi.encodeWithSelector(IMedShareErrors.UnknownPackage.selector, unknown));
        verify(address(0), unknown, claim);
    }

    /// @notice Before the first report the head is the parent block's leaf, which one node chose and no work covers: a
    /// header that happens to hash to it proves nothing.
    function test_aPackageWithoutReportsHasNoLog() public {
        Claim memory claim = claimOf(1, 0);
        (, claim.header) = mined("previous", claim);
        Item memory item = _item();
        (item.entry,) = Miner.mine(_block(item.expectedHead, sha256(abi.encodePacked(sha256(claim.header)))));
        PackageId package = _issue(item);
        assertEq(med.packageOf(package).head, sha256(abi.encodePacked(sha256(claim.header))));
        vm.expectRevert(abi.encodeWithSelector(IMedShareErrors.NoReport.selector, package));
        verify(address(0), package, claim);
    }

    // ---------------------------------------------------------------- claims about chains

    function claimOf(uint256 size, uint256 index) private returns (Claim memory claim) {
        delete leaves;
        for (uint256 i = 0; i < size; i++) {
            leaves.push(keccak256(abi.encode(i)));
        }
        claim.size = uint64(size);
        claim.index = uint64(index % size);
        claim.root = treeRoot(0, size);
        claim.leaf = leaves[claim.index];
        claim.proof = path(claim.index, 0, size);
    }

    function sideChain(uint256 size, uint256 index) private returns (PackageId package, Claim memory claim) {
        package = _issued();
        claim = claimOf(size, index);
        anchorSide(package, claim);
    }

    function anchorSide(PackageId package, Claim memory claim) private {
        Segment memory segment = Segment(package, bytes8(med.packageOf(package).head), 1);
        bytes memory entry;
        (entry, claim.header) = mined(med.packageOf(package).head, claim);
        vm.prank(node.addr);
        med.anchorReports(_single(segment), entry);
        _assertState(package, State.Active);
    }

    function mined(bytes32 previous, Claim memory claim)
        private
        view
        returns (bytes memory entry, bytes memory header)
    {
        Miner.Block memory block_ = _block(previous, "leaf");
        block_.root = sha256(abi.encodePacked(claim.root, littleEndian(claim.size)));
        (entry,) = Miner.mine(block_);
        header = abi.encodePacked(slice(entry, 0, 4), previous, slice(entry, 4, 48));
    }

    function anchorThread(bytes memory entry) private {
        _issue(_itemWith(entry));
    }

    function littleEndian(uint64 number) private pure returns (bytes memory text) {
        for (uint256 i = 0; i < 8; i++) {
            text = abi.encodePacked(text, uint8(number >> (8 * i)));
        }
    }

    function slice(bytes memory whole, uint256 from, uint256 to) private pure returns (bytes memory part) {
        part = new bytes(to - from);
        for (uint256 i = from; i < to; i++) {
            part[i - from] = whole[i];
        }
    }

    function verify(address who, PackageId package, Claim memory claim) private view returns (bool) {
        return
            med.verifyInclusion(
                who, package, claim.header, claim.root, claim.size, claim.index, claim.leaf, claim.proof
            );
    }

    function refuse(PackageId package, Claim memory claim) private {
        vm.expectRevert(
            abi.encodeWithSelector(
                IMedShareErrors.BadProof.selector, claim.header.length, claim.size, claim.index, claim.proof.length
            )
        );
        verify(address(0), package, claim);
    }
}
