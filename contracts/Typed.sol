// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {IMedShare} from "./interfaces/IMedShare.sol";
import {AccessRequest, PackageId, Registration, Report, Session, Usage} from "./interfaces/Types.sol";

/// @title The EIP-712 messages (P4); the domain can be asked for by ERC-5267
abstract contract Typed is IMedShare, EIP712 {
    bytes32 internal constant REGISTRATION_TYPEHASH = keccak256(
        "Registration(address requestor,bytes32 sealingKey,uint8 class,bytes32 credential,uint256 nonce,uint64 deadline)"
    );
    bytes32 internal constant ACCESS_REQUEST_TYPEHASH = keccak256(
        "AccessRequest(address requestor,address custodian,bytes32 dataset,bytes32 purpose,Selection selection,bytes32 salt,uint64 deadline)Selection(string[] fields,string filter)"
    );
    bytes32 internal constant USAGE_TYPEHASH = keccak256(
        "Usage(uint8 sensitivity,uint8 granted,uint8 exempt,uint8 environment,uint64 expiry,bytes32 contractKey)"
    );
    bytes32 internal constant VALIDATION_TYPEHASH = keccak256(
        "Validation(bytes32 package,bytes32 payloadHash,bytes32 formDigest,uint8 sensitivity,bytes32 usage,uint64 deadline)"
    );
    bytes32 internal constant REPORT_TYPEHASH =
        keccak256("Report(bytes32 package,uint32 number,bytes32 previous,uint8 actions,uint64 time,bytes32 body)");
    bytes32 internal constant SESSION_TYPEHASH = keccak256("Session(bytes32 package,address key,uint64 expiry)");
    bytes32 internal constant DELETION_TYPEHASH = keccak256("Deletion(bytes32 package,uint64 time)");

    constructor() EIP712("MeDShare", "1") {}

    /// @inheritdoc IMedShare
    function packageIdOf(AccessRequest calldata request) public view returns (PackageId) {
        // A request's fields are all static, in the order of the type: their encoding is encodeData.
        return PackageId.wrap(_hashTypedDataV4(keccak256(abi.encode(ACCESS_REQUEST_TYPEHASH, request))));
    }

    function _registrationDigest(Registration calldata registration) internal view returns (bytes32) {
        return _hashTypedDataV4(keccak256(abi.encode(REGISTRATION_TYPEHASH, registration)));
    }

    function _validationDigest(
        PackageId package,
        bytes32 payloadHash,
        bytes32 formDigest,
        Usage calldata usage,
        uint64 deadline
    ) internal view returns (bytes32) {
        bytes32 usageHash = keccak256(abi.encode(USAGE_TYPEHASH, usage));
        return _hashTypedDataV4(
            keccak256(
                abi.encode(
                    VALIDATION_TYPEHASH, package, payloadHash, formDigest, usage.sensitivity, usageHash, deadline
                )
            )
        );
    }

    function _reportDigest(Report calldata report) internal view returns (bytes32) {
        return _hashTypedDataV4(keccak256(abi.encode(REPORT_TYPEHASH, report)));
    }

    function _sessionDigest(Session calldata session) internal view returns (bytes32) {
        return _hashTypedDataV4(keccak256(abi.encode(SESSION_TYPEHASH, session)));
    }

    function _deletionDigest(PackageId package, uint64 time) internal view returns (bytes32) {
        return _hashTypedDataV4(keccak256(abi.encode(DELETION_TYPEHASH, package, time)));
    }
}
