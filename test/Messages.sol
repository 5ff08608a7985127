// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessRequest, PackageId, Registration, Report, Session, Usage} from "../contracts/interfaces/Types.sol";

/// @notice The EIP-712 digests as a wallet computes them, written out apart from contracts/Typed.sol.
library Messages {
    function domain(address verifyingContract) internal view returns (bytes32) {
        return keccak256(
            abi.encode(
                keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
                keccak256("MeDShare"),
                keccak256("1"),
                block.chainid,
                verifyingContract
            )
        );
    }

    function digest(address verifyingContract, bytes32 structHash) internal view returns (bytes32) {
        return keccak256(abi.encodePacked(hex"1901", domain(verifyingContract), structHash));
    }

    function selection(string[] memory fields, string memory filter) internal pure returns (bytes32) {
        bytes memory hashes;
        for (uint256 i = 0; i < fields.length; i++) {
            hashes = abi.encodePacked(hashes, keccak256(bytes(fields[i])));
        }
        bytes32 typeHash = keccak256("Selection(string[] fields,string filter)");
        return keccak256(abi.encode(typeHash, keccak256(hashes), keccak256(bytes(filter))));
    }

    function registration(Registration memory message) internal pure returns (bytes32) {
        return keccak256(
            abi.encode(
                keccak256(
                    "Registration(address requestor,bytes32 sealingKey,uint8 class,bytes32 credential,uint256 nonce,uint64 deadline)"
                ),
                message.requestor,
                message.sealingKey,
                message.class,
                message.credential,
                message.nonce,
                message.deadline
            )
        );
    }

    function request(AccessRequest memory message) internal pure returns (bytes32) {
        return keccak256(
            abi.encode(
                keccak256(
                    "AccessRequest(address requestor,address custodian,bytes32 dataset,bytes32 purpose,Selection selection,bytes32 salt,uint64 deadline)Selection(string[] fields,string filter)"
                ),
                message.requestor,
                message.custodian,
                message.dataset,
                message.purpose,
                message.selection,
                message.salt,
                message.deadline
            )
        );
    }

    function usage(Usage memory message) internal pure returns (bytes32) {
        return keccak256(
            abi.encode(
                keccak256(
                    "Usage(uint8 sensitivity,uint8 granted,uint8 exempt,uint8 environment,uint64 expiry,bytes32 contractKey)"
                ),
                message.sensitivity,
                message.granted,
                message.exempt,
                message.environment,
                message.expiry,
                message.contractKey
            )
        );
    }

    function validation(PackageId package, bytes32 payload, bytes32 form, Usage memory contract_, uint64 deadline)
        internal
        pure
        returns (bytes32)
    {
        return keccak256(
            abi.encode(
                keccak256(
                    "Validation(bytes32 package,bytes32 payloadHash,bytes32 formDigest,uint8 sensitivity,bytes32 usage,uint64 deadline)"
                ),
                package,
                payload,
                form,
                contract_.sensitivity,
                usage(contract_),
                deadline
            )
        );
    }

    function report(Report memory message) internal pure returns (bytes32) {
        return keccak256(
            abi.encode(
                keccak256(
                    "Report(bytes32 package,uint32 number,bytes32 previous,uint8 actions,uint64 time,bytes32 body)"
                ),
                message.package,
                message.number,
                message.previous,
                message.actions,
                message.time,
                message.body
            )
        );
    }

    function session(Session memory message) internal pure returns (bytes32) {
        bytes32 typeHash = keccak256("Session(bytes32 package,address key,uint64 expiry)");
        return keccak256(abi.encode(typeHash, message.package, message.key, message.expiry));
    }

    function deletion(PackageId package, uint64 time) internal pure returns (bytes32) {
        return keccak256(abi.encode(keccak256("Deletion(bytes32 package,uint64 time)"), package, time));
    }
}
