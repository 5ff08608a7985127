// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessControl} from "@openzeppelin/contracts/access/AccessControl.sol";
import {IMedShare} from "../../contracts/interfaces/IMedShare.sol";
import {DatasetId, PackageId, Registration, Report, Session} from "../../contracts/interfaces/Types.sol";
import {Proof} from "./Proof.sol";

/// @notice Statements that are false, so that the proofs say something: a proof about what holds once a call is done would
/// also pass if halmos found no way for the call to be done. Of each, `make prove` wants a counterexample.
contract ReachedRefuted is Proof {
    function check_revoke(PackageId id, uint8 reason, address caller) public {
        _assertNever(caller, abi.encodeCall(IMedShare.revoke, (id, reason)));
    }

    function check_regrant(PackageId id, address caller) public {
        _assertNever(caller, abi.encodeCall(IMedShare.regrant, (id)));
    }

    function check_retrieve(PackageId id, uint64 time, bytes calldata signature, address caller) public {
        _assertNever(caller, abi.encodeCall(IMedShare.retrieve, (id, time, signature)));
    }

    function check_reportViolation(
        Report calldata report,
        bytes calldata signature,
        Session calldata session,
        bytes calldata delegation,
        address caller
    ) public {
        _assertNever(caller, abi.encodeCall(IMedShare.reportViolation, (report, signature, session, delegation)));
    }

    function check_reportTampering(
        Report calldata first,
        bytes calldata firstSignature,
        Report calldata second,
        bytes calldata secondSignature,
        Session calldata session,
        bytes calldata delegation,
        address caller
    ) public {
        bytes memory input = abi.encodeCall(
            IMedShare.reportTampering, (first, firstSignature, second, secondSignature, session, delegation)
        );
        _assertNever(caller, input);
    }

    function check_admitCustodian(address custodian, address caller) public {
        _assertNever(caller, abi.encodeCall(IMedShare.admitCustodian, (custodian)));
    }

    function check_removeCustodian(address custodian, address caller) public {
        _assertNever(caller, abi.encodeCall(IMedShare.removeCustodian, (custodian)));
    }

    function check_setWorkLimit(uint32 bits, address caller) public {
        _assertNever(caller, abi.encodeCall(IMedShare.setWorkLimit, (bits)));
    }

    function check_registerNode(address node, bytes32 key, string calldata endpoint, address caller) public {
        _assertNever(caller, abi.encodeCall(IMedShare.registerNode, (node, key, endpoint)));
    }

    function check_removeNode(address node, address caller) public {
        _assertNever(caller, abi.encodeCall(IMedShare.removeNode, (node)));
    }

    function check_registerRequestor(Registration calldata registration, bytes calldata signature, address caller)
        public
    {
        _assertNever(caller, abi.encodeCall(IMedShare.registerRequestor, (registration, signature)));
    }

    function check_suspend(address requestor, address caller) public {
        _assertNever(caller, abi.encodeCall(IMedShare.suspend, (requestor)));
    }

    function check_reinstate(address requestor, address caller) public {
        _assertNever(caller, abi.encodeCall(IMedShare.reinstate, (requestor)));
    }

    function check_allowRequests(address requestor, address caller) public {
        _assertNever(caller, abi.encodeCall(IMedShare.allowRequests, (requestor)));
    }

    function check_withdrawDataset(DatasetId dataset, address caller) public {
        _assertNever(caller, abi.encodeCall(IMedShare.withdrawDataset, (dataset)));
    }

    function check_grantRole(bytes32 role, address account, address caller) public {
        _assertNever(caller, abi.encodeCall(AccessControl.grantRole, (role, account)));
    }

    function check_revokeRole(bytes32 role, address account, address caller) public {
        _assertNever(caller, abi.encodeCall(AccessControl.revokeRole, (role, account)));
    }

    function check_renounceRole(bytes32 role, address account, address caller) public {
        _assertNever(caller, abi.encodeCall(AccessControl.renounceRole, (role, account)));
    }

    function _assertNever(address caller, bytes memory input) private {
        bool done = _call(caller, input);
        assert(!done);
    }
}
