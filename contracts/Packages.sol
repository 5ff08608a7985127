// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IMedShare} from "./interfaces/IMedShare.sol";
import {AccessRequest, PackageId, PackageView, Sensitivity, State, Usage, Verdict} from "./interfaces/Types.sol";
import {Judge} from "./libraries/Judge.sol";
import {Conduct} from "./Conduct.sol";
import {Datasets} from "./Datasets.sol";

/// @title What is held of each package, and the state that follows from it (paper, Figure 2; P6)
abstract contract Packages is Datasets, Conduct {
    /// @dev What was decided about a package. Issued and Active are both `Granted`; expiry and epochs come on top.
    enum Standing {
        None,
        Granted,
        Revoked,
        Retrieved
    }

    /// @dev Three slots; the head of the side-chain is the fourth.
    struct Package {
        address requestor;
        uint32 settled;
        uint24 datasetEpoch; // as it was at issue or at the last re-grant
        uint24 ownerEpoch;
        Standing standing;
        // ---- second slot
        uint32 dataset; // its number, which leads to the owner
        uint64 expiry;
        Sensitivity sensitivity;
        uint8 granted;
        uint8 exempt;
        uint8 environment;
        bytes16 origin; // first half of the parent block's leaf hash: the side-chain has moved once its head differs
        // ---- third slot
        bytes32 contractKey;
    }

    /// @dev A slot that can be passed on.
    struct Head {
        bytes32 hash;
    }

    mapping(PackageId package => Package) internal _packages;
    /// @dev Heads of the side-chains, by owner: that a node has a head in reach shows that the package is its owner's.
    mapping(address custodian => mapping(PackageId package => Head)) internal _heads;

    /// @inheritdoc IMedShare
    function packageOf(PackageId id) external view returns (PackageView memory) {
        Package storage package = _packages[id];
        Dataset storage dataset = _dataset(package.dataset);
        return PackageView({
            state: _stateOf(id, package),
            started: _started(id, package),
            refused: isRefused(dataset.custodian, package.requestor),
            requestor: package.requestor,
            custodian: dataset.custodian,
            dataset: dataset.id,
            usage: Usage({
                sensitivity: package.sensitivity,
                granted: package.granted,
                exempt: package.exempt,
                environment: package.environment,
                expiry: package.expiry,
                contractKey: package.contractKey
            }),
            settled: package.settled,
            violations: _record(package.requestor, package.dataset).violations,
            head: _headOf(id, package)
        });
    }

    /// @inheritdoc IMedShare
    function judge(Sensitivity sensitivity, uint8 granted, uint8 exempt, uint8 action) external pure returns (Verdict) {
        return Judge.judge(sensitivity, granted, exempt, action);
    }

    /// @param dataset The number of the dataset that the request asks for.
    /// @param origin The parent block's leaf hash.
    function _createPackage(
        PackageId id,
        AccessRequest calldata request,
        uint32 dataset,
        Usage calldata usage,
        bytes32 origin
    ) internal {
        (address requestor, address custodian) = (request.requestor, request.custodian);
        Package storage package = _packages[id];
        package.requestor = requestor;
        package.datasetEpoch = _record(requestor, dataset).epoch;
        package.ownerEpoch = _relation(requestor, custodian).epoch;
        package.standing = Standing.Granted;
        package.dataset = dataset;
        package.expiry = usage.expiry;
        package.sensitivity = usage.sensitivity;
        package.granted = usage.granted;
        package.exempt = usage.exempt;
        package.environment = usage.environment;
        // Half of it, on purpose.
        // forge-lint: disable-next-line(unsafe-typecast)
        package.origin = bytes16(origin);
        package.contractKey = usage.contractKey;
        _heads[custodian][id].hash = origin;
    }

    /// @dev Grants access (again), out of every revocation so far.
    function _regrant(Package storage package) internal {
        package.standing = Standing.Granted;
        package.datasetEpoch = _record(package.requestor, package.dataset).epoch;
        package.ownerEpoch = _relation(package.requestor, _ownerOf(package)).epoch;
    }

    function _ownerOf(Package storage package) internal view returns (address) {
        return _dataset(package.dataset).custodian;
    }

    function _headOf(PackageId id, Package storage package) internal view returns (bytes32) {
        return _heads[_ownerOf(package)][id].hash;
    }

    function _stateOf(PackageId id, Package storage package) internal view returns (State) {
        State state = _stateBut(package);
        return state == State.Issued && _started(id, package) ? State.Active : state;
    }

    /// @dev The state, with Issued standing for Active too.
    function _stateBut(Package storage package) private view returns (State) {
        Standing standing = package.standing;
        if (standing == Standing.None) return State.None;
        if (standing == Standing.Retrieved) return State.Retrieved;
        // Expiry is days away: the seconds that a validator can shift do not matter.
        // slither-disable-next-line timestamp
        if (_nowMs() >= package.expiry) return State.Expired;
        if (standing == Standing.Revoked || _isOvertaken(package)) return State.Revoked;
        return State.Issued;
    }

    /// @dev Whether a response action has revoked it together with others.
    function _isOvertaken(Package storage package) private view returns (bool) {
        return package.datasetEpoch != _record(package.requestor, package.dataset).epoch
            || package.ownerEpoch != _relation(package.requestor, _ownerOf(package)).epoch;
    }

    function _started(PackageId id, Package storage package) internal view returns (bool) {
        return bytes16(_headOf(id, package)) != package.origin;
    }

    /// @dev The package, or a revert when there is none.
    function _known(PackageId id) internal view returns (Package storage package) {
        package = _packages[id];
        if (package.standing == Standing.None) revert UnknownPackage(id);
    }

    /// @dev Reverts unless access is granted now.
    function _requireLive(PackageId id, Package storage package) internal view {
        State state = _stateBut(package);
        if (state != State.Issued) revert WrongState(id, state);
    }

    /// @dev Reverts unless the caller is the owner or a node of it.
    function _requireOwner(PackageId id, Package storage package) internal view {
        address owner = _ownerOf(package);
        if (msg.sender != owner && _custodianOf(msg.sender) != owner) revert NotOwner(id, msg.sender);
    }
}
