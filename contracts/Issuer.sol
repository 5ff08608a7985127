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
/// @notice An item is checked as a whole before anything of it is written, so there is nothing to undo when it is bad.
/// What is wrong with it is an ABI-encoded error; empty: nothing.
abstract contract Issuer is Requestors, Chains {
    uint8 private constant SANDBOX_HELD = 2; // the highest environment there is

    /// @inheritdoc IMedShare
    function issue(Item[] calldata items) external {
        address custodian = _requireNode();
        for (uint256 i = 0; i < items.length; i++) {
            Item calldata item = items[i];
            PackageId id = packageIdOf(item.request);
            (bytes memory fault, uint32 dataset, bytes32 head) = _check(id, item, custodian);
            if (fault.length == 0) _issue(id, item, dataset, head);
            else emit ItemSkipped(id, msg.sender, fault);
        }
    }

    /// @return fault What is wrong.
    /// @return dataset The number of the dataset that is asked for.
    /// @return head The new head of the requestor's thread.
    function _check(PackageId id, Item calldata item, address custodian)
        private
        view
        returns (bytes memory fault, uint32 dataset, bytes32 head)
    {
        (fault, dataset) = _checkRequest(id, item.request);
        if (fault.length == 0) fault = _checkUsage(item.usage);
        if (fault.length == 0) fault = _checkSecondNode(id, item, custodian);
        // Slither takes the length of an error for a balance, and for a time because errors carry times.
        // slither-disable-next-line incorrect-equality,timestamp
        if (fault.length == 0) (fault, head) = _checkEntry(item.request.requestor, item.expectedHead, item.entry);
        if (fault.length == 0) fault = _checkSignatures(id, item);
    }

    function _checkRequest(PackageId id, AccessRequest calldata request)
        private
        view
        returns (bytes memory fault, uint32 dataset)
    {
        fault = _checkStanding(request.requestor);
        if (fault.length == 0) (fault, dataset) = _checkOffer(request.custodian, request.dataset, request.purpose);
        if (fault.length != 0) return (fault, 0);
        if (isRefused(request.custodian, request.requestor)) {
            fault = abi.encodeWithSelector(Refused.selector, request.custodian, request.requestor);
        } else if (_isPast(request.deadline)) {
            fault = abi.encodeWithSelector(DeadlinePassed.selector, request.deadline, _nowMs());
        } else if (_packages[id].standing != Standing.None) {
            fault = abi.encodeWithSelector(AlreadyIssued.selector, id);
        }
    }

    function _checkUsage(Usage calldata usage) private view returns (bytes memory fault) {
        bool known =
            usage.granted <= Judge.GRANTABLE && usage.exempt <= Judge.GRANTABLE && usage.environment <= SANDBOX_HELD;
        // Expiry is days away: the seconds that a validator can shift do not matter.
        // slither-disable-next-line timestamp
        bool sound = known && usage.contractKey != 0 && usage.expiry > _nowMs();
        if (!sound) return abi.encodeWithSelector(BadUsage.selector, usage);
    }

    /// @dev The sender's custodian is the one that was asked; the second node is another, and of another custodian as
    /// soon as there is one (P13).
    function _checkSecondNode(PackageId id, Item calldata item, address custodian)
        private
        view
        returns (bytes memory fault)
    {
        if (custodian != item.request.custodian) return abi.encodeWithSelector(NotOwner.selector, id, msg.sender);
        address verifier = item.verifier;
        address second = _custodianOf(verifier);
        if (second == address(0)) return abi.encodeWithSelector(UnknownNode.selector, verifier);
        if (verifier == msg.sender) return abi.encodeWithSelector(VerifierIsSender.selector, verifier);
        if (second == custodian && custodianCount() > 1) {
            return abi.encodeWithSelector(VerifierOfSameCustodian.selector, verifier);
        }
        if (_isPast(item.validationDeadline)) {
            return abi.encodeWithSelector(DeadlinePassed.selector, item.validationDeadline, _nowMs());
        }
    }

    function _checkSignatures(PackageId id, Item calldata item) private view returns (bytes memory fault) {
        address requestor = item.request.requestor;
        if (!Signatures.isWallets(requestor, PackageId.unwrap(id), item.requestSignature)) {
            return abi.encodeWithSelector(BadSignature.selector, requestor);
        }
        bytes32 digest = _validationDigest(id, item.payloadHash, item.formDigest, item.usage, item.validationDeadline);
        if (!Signatures.isKeys(item.verifier, digest, item.validationSignature)) {
            return abi.encodeWithSelector(BadSignature.selector, item.verifier);
        }
    }

    function _issue(PackageId id, Item calldata item, uint32 dataset, bytes32 head) private {
        _setThreadHead(item.request.requestor, head);
        _createPackage(id, item.request, dataset, item.usage, Header.leafOf(item.entry));
        emit PackageIssued(
            id,
            item.request.requestor,
            item.request.custodian,
            item.request,
            item.usage,
            item.payloadHash,
            item.formDigest,
            msg.sender,
            item.verifier,
            item.entry
        );
    }
}
