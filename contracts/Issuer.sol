// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IMedShare} from "./interfaces/IMedShare.sol";
import {AccessRequest, Item, PackageId, Usage} from "./interfaces/Types.sol";
import {Header} from "./libraries/Header.sol";
import {Judge} from "./libraries/Judge.sol";
import {Signatures} from "./libraries/Signatures.sol";
import {Chains} from "./Chains.sol";
import {Requestors} from "./Requestors.sol";

/// @title Issue: the request, the second node's signature and the parent block stand or fall together (P13, P14)
abstract contract Issuer is Requestors, Chains {
    uint8 private constant SANDBOX = 1; // the highest environment there is

    modifier onlyItself() {
        if (msg.sender != address(this)) revert NotPermitted(msg.sender);
        _;
    }

    /// @inheritdoc IMedShare
    function issue(Item[] calldata items) external onlyNode {
        for (uint256 i = 0; i < items.length; i++) {
            try this.issueOne(msg.sender, items[i]) {}
            catch (bytes memory reason) {
                _requireItsOwnFault(reason);
                emit ItemSkipped(packageIdOf(items[i].request), msg.sender, reason);
            }
        }
    }

    /// @inheritdoc IMedShare
    function issueOne(address node, Item calldata item) external onlyItself {
        PackageId id = packageIdOf(item.request);
        uint32 dataset = _requireAdmissible(id, item.request);
        _requireSoundUsage(item.usage);
        _requireSecondNode(id, item, node);
        Signatures.requireWallet(item.request.requestor, PackageId.unwrap(id), item.requestSignature);
        _requireValidated(id, item);
        _extendThread(item.request.requestor, item.expectedHead, item.entry);
        _createPackage(id, item.request, dataset, item.usage, Header.leafOf(item.entry));
        emit PackageIssued(
            id,
            item.request.requestor,
            item.request.custodian,
            item.request,
            item.usage,
            item.payloadHash,
            item.formDigest,
            node,
            item.verifier,
            item.entry
        );
    }

    /// @dev The number of the dataset that is asked for.
    function _requireAdmissible(PackageId id, AccessRequest calldata request) private view returns (uint32 dataset) {
        _requireInGoodStanding(request.requestor);
        if (isRefused(request.custodian, request.requestor)) revert Refused(request.custodian, request.requestor);
        dataset = _requireOffered(request.custodian, request.dataset, request.purpose);
        _requireInTime(request.deadline);
        if (_packages[id].standing != Standing.None) revert AlreadyIssued(id);
    }

    function _requireSoundUsage(Usage calldata usage) private view {
        bool known = usage.granted <= Judge.GRANTABLE && usage.exempt <= Judge.GRANTABLE && usage.environment <= SANDBOX;
        if (!known || usage.contractKey == 0 || usage.expiry <= _nowMs()) revert BadUsage();
    }

    /// @dev The sender's custodian is the one that was asked; the second node is another, and of another custodian as
    /// soon as there is one.
    function _requireSecondNode(PackageId id, Item calldata item, address node) private view {
        address custodian = item.request.custodian;
        if (_custodianOf(node) != custodian) revert NotOwner(id, node);
        address second = _custodianOf(item.verifier);
        if (second == address(0)) revert UnknownNode(item.verifier);
        if (item.verifier == node) revert VerifierIsSender(node);
        if (second == custodian && custodianCount() > 1) revert VerifierOfSameCustodian(item.verifier);
    }

    function _requireValidated(PackageId id, Item calldata item) private view {
        _requireInTime(item.validationDeadline);
        bytes32 digest = _validationDigest(id, item.payloadHash, item.formDigest, item.usage, item.validationDeadline);
        Signatures.requireKey(item.verifier, digest, item.validationSignature);
    }

    /// @dev A lack of gas is the sender's fault, not the item's: skipping for it would let a gas estimate settle on
    /// a transaction that skips everything.
    function _requireItsOwnFault(bytes memory reason) private pure {
        bool noReason = reason.length < 4; // as when gas runs out: all our errors have a selector
        // The selector is what is wanted of the longer bytes.
        // forge-lint: disable-next-line(unsafe-typecast)
        if (noReason || bytes4(reason) == GasTooLow.selector) revert GasTooLow(0);
    }
}
