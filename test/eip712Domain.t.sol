// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessRequest, PackageId} from "../contracts/interfaces/Types.sol";
import {Base} from "./Base.t.sol";
import {Messages} from "./Messages.sol";

contract Eip712DomainTest is Base {
    struct Domain {
        bytes1 fields;
        string name;
        string version;
        uint256 chain;
        address verifier;
        bytes32 salt;
        uint256[] extensions;
    }

    function test_tellsItsDomain() public view {
        Domain memory domain = asked();
        assertEq(domain.fields, hex"0f", "name, version, chain and contract; no salt");
        assertEq(domain.name, "MeDShare");
        assertEq(domain.version, "1");
        assertEq(domain.chain, block.chainid);
        assertEq(domain.verifier, address(med));
        assertEq(domain.salt, bytes32(0));
        assertEq(domain.extensions.length, 0);
    }

    /// @notice What a wallet makes of the answer is what is verified here, on a fork of the chain too.
    function test_isTheDomainOfTheDigests(uint64 chain) public {
        AccessRequest memory request = _request();
        vm.chainId(bound(chain, 1, type(uint64).max - 1));
        bytes32 digest = keccak256(abi.encodePacked(hex"1901", separator(asked()), Messages.request(request)));
        assertEq(PackageId.unwrap(med.packageIdOf(request)), digest);
    }

    function asked() private view returns (Domain memory domain) {
        (domain.fields, domain.name, domain.version, domain.chain, domain.verifier, domain.salt, domain.extensions) =
            med.eip712Domain();
    }

    function separator(Domain memory domain) private pure returns (bytes32) {
        bytes32 type_ = keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
        bytes32 name = keccak256(bytes(domain.name));
        return keccak256(abi.encode(type_, name, keccak256(bytes(domain.version)), domain.chain, domain.verifier));
    }
}
