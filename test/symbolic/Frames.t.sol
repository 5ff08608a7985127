// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessControl} from "@openzeppelin/contracts/access/AccessControl.sol";
import {IMedShare} from "../../contracts/interfaces/IMedShare.sol";
import {DatasetId, PackageId, Registration} from "../../contracts/interfaces/Types.sol";
import {Harness} from "./Harness.sol";
import {Proof} from "./Proof.sol";

/// @notice What must leave every package as it is, whoever calls: the calls that are about something else. `publishDataset`
/// is not here: it changes what follows the violations of its own dataset's packages (P7), and says so.
abstract contract Frames is Proof {
    function _assertLeftAlone(PackageId id, address caller, bytes memory input) internal {
        Harness.Seen memory before = med.look(id);
        if (_call(caller, input)) _assertSame(before, med.look(id));
    }
}

contract FramesProof is Frames {
    function check_admitCustodian(PackageId id, address custodian, address caller) public {
        _assertLeftAlone(id, caller, abi.encodeCall(IMedShare.admitCustodian, (custodian)));
    }

    function check_setWorkLimit(PackageId id, uint32 bits, address caller) public {
        _assertLeftAlone(id, caller, abi.encodeCall(IMedShare.setWorkLimit, (bits)));
    }

    function check_registerRequestor(
        PackageId id,
        Registration calldata registration,
        bytes calldata signature,
        address caller
    ) public {
        _assertLeftAlone(id, caller, abi.encodeCall(IMedShare.registerRequestor, (registration, signature)));
    }

    function check_suspend(PackageId id, address requestor, address caller) public {
        _assertLeftAlone(id, caller, abi.encodeCall(IMedShare.suspend, (requestor)));
    }

    function check_reinstate(PackageId id, address requestor, address caller) public {
        _assertLeftAlone(id, caller, abi.encodeCall(IMedShare.reinstate, (requestor)));
    }

    function check_withdrawDataset(PackageId id, DatasetId dataset, address caller) public {
        _assertLeftAlone(id, caller, abi.encodeCall(IMedShare.withdrawDataset, (dataset)));
    }

    function check_grantRole(PackageId id, bytes32 role, address account, address caller) public {
        _assertLeftAlone(id, caller, abi.encodeCall(AccessControl.grantRole, (role, account)));
    }

    function check_revokeRole(PackageId id, bytes32 role, address account, address caller) public {
        _assertLeftAlone(id, caller, abi.encodeCall(AccessControl.revokeRole, (role, account)));
    }

    function check_renounceRole(PackageId id, bytes32 role, address account, address caller) public {
        _assertLeftAlone(id, caller, abi.encodeCall(AccessControl.renounceRole, (role, account)));
    }

    /// @notice It lifts a refusal of new requests, and nothing else.
    function check_allowRequests(PackageId id, address requestor, address caller) public {
        Harness.Seen memory before = med.look(id);
        if (!_call(caller, abi.encodeCall(IMedShare.allowRequests, (requestor)))) return;
        Harness.Seen memory later = med.look(id);
        assert(later.refused == before.refused || !later.refused);
        later.refused = before.refused;
        _assertSame(before, later);
    }
}

/// @notice The same of calls that go through a list of nodes: the bytes of an endpoint, and at most two nodes at once.
contract BoundedFramesProof is Frames {
    function check_removeCustodian(PackageId id, address custodian, address caller) public {
        _assertLeftAlone(id, caller, abi.encodeCall(IMedShare.removeCustodian, (custodian)));
    }

    function check_registerNode(PackageId id, address node, bytes32 key, string calldata endpoint, address caller)
        public
    {
        _assertLeftAlone(id, caller, abi.encodeCall(IMedShare.registerNode, (node, key, endpoint)));
    }

    function check_removeNode(PackageId id, address node, address caller) public {
        _assertLeftAlone(id, caller, abi.encodeCall(IMedShare.removeNode, (node)));
    }
}
