// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {
    AccessRequest,
    IMedShare,
    PackageId,
    PackageView,
    Sensitivity,
    State,
    Usage,
    Verdict
} from "./interfaces/IMedShare.sol";
import {Judge} from "./libraries/Judge.sol";
import {Participants} from "./Participants.sol";

/// @title What is held of each package, and the state that follows from it (paper, Figure 2; P6)
abstract contract Packages is Participants {
    /// @dev What was decided about a package. Issued and Active are both `Granted`; expiry and epochs come on top.
    enum Standing {
        None,
        Granted,
        Revoked,
        Retrieved
    }

    /// @dev Five slots.
    struct Package {
        bytes32 head; // of the side-chain
        address requestor;
        uint32 settled;
        uint24 datasetEpoch; // as it was at issue or at the last re-grant
        uint24 ownerEpoch;
        Standing standing;
        bool started; // the side-chain has moved
        address custodian;
        uint64 expiry;
        Sensitivity sensitivity;
        uint8 granted;
        uint8 exempt;
        uint8 environment;
        bytes32 dataset;
        bytes32 contractKey;
    }

    /// @dev What a requestor has done to one dataset of one custodian.
    struct Conduct {
        uint32 violations;
        uint24 epoch; // packages of an older one are revoked: no loop over packages is needed
    }

    mapping(PackageId package => Package) internal _packages;
    mapping(address requestor => mapping(address custodian => mapping(bytes32 dataset => Conduct))) private _conducts;
    mapping(address requestor => mapping(address custodian => uint24)) internal _ownerEpochs;

    /// @inheritdoc IMedShare
    function packageOf(PackageId id) external view returns (PackageView memory) {
        Package storage package = _packages[id];
        return PackageView({
            state: _stateOf(package),
            requestor: package.requestor,
            custodian: package.custodian,
            dataset: package.dataset,
            usage: Usage({
                sensitivity: package.sensitivity,
                granted: package.granted,
                exempt: package.exempt,
                environment: package.environment,
                expiry: package.expiry,
                contractKey: package.contractKey
            }),
            head: package.head,
            settled: package.settled,
            violations: _conductOf(package).violations
        });
    }

    /// @inheritdoc IMedShare
    function judge(Sensitivity sensitivity, uint8 granted, uint8 exempt, uint8 action) external pure returns (Verdict) {
        return Judge.judge(sensitivity, granted, exempt, action);
    }

    function _createPackage(PackageId id, AccessRequest calldata request, Usage calldata usage, bytes32 origin)
        internal
    {
        Package storage package = _packages[id];
        package.head = origin;
        package.requestor = request.requestor;
        package.standing = Standing.Granted;
        package.custodian = request.custodian;
        package.expiry = usage.expiry;
        package.sensitivity = usage.sensitivity;
        package.granted = usage.granted;
        package.exempt = usage.exempt;
        package.environment = usage.environment;
        package.dataset = request.dataset;
        package.contractKey = usage.contractKey;
        _renew(package);
    }

    /// @dev Takes the package out of every revocation so far.
    function _renew(Package storage package) internal {
        package.datasetEpoch = _conductOf(package).epoch;
        package.ownerEpoch = _ownerEpochs[package.requestor][package.custodian];
    }

    function _conductOf(Package storage package) internal view returns (Conduct storage) {
        return _conducts[package.requestor][package.custodian][package.dataset];
    }

    function _stateOf(Package storage package) internal view returns (State) {
        Standing standing = package.standing;
        if (standing == Standing.None) return State.None;
        if (standing == Standing.Retrieved) return State.Retrieved;
        if (_nowMs() >= package.expiry) return State.Expired;
        bool overtaken = package.datasetEpoch != _conductOf(package).epoch
            || package.ownerEpoch != _ownerEpochs[package.requestor][package.custodian];
        if (standing == Standing.Revoked || overtaken) return State.Revoked;
        return package.started ? State.Active : State.Issued;
    }

    /// @dev The package, or a revert when there is none.
    function _known(PackageId id) internal view returns (Package storage package) {
        package = _packages[id];
        if (package.standing == Standing.None) revert UnknownPackage(id);
    }

    /// @dev Reverts unless access is granted now.
    function _requireLive(PackageId id, Package storage package) internal view {
        State state = _stateOf(package);
        if (state != State.Issued && state != State.Active) revert WrongState(id, state);
    }

    /// @dev Reverts unless `caller` is a node of the package's owner.
    function _requireOwnersNode(PackageId id, Package storage package, address caller) internal view {
        if (_custodianOf(caller) != package.custodian) revert NotOwner(id, caller);
    }

    /// @dev Reverts unless the caller is the owner or a node of it.
    function _requireOwner(PackageId id, Package storage package) internal view {
        if (msg.sender != package.custodian) _requireOwnersNode(id, package, msg.sender);
    }
}
