// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IMedShare} from "../../../contracts/interfaces/IMedShare.sol";
import {IMedShareErrors} from "../../../contracts/interfaces/IMedShareErrors.sol";
import {ActionKind, DatasetId, Response} from "../../../contracts/interfaces/Types.sol";
import {Bounds} from "../Bounds.sol";
import {Dice} from "../Dice.sol";
import {FaultSet, Faults} from "../Faults.sol";
import {World} from "../World.sol";

/// @notice Custodians: their nodes and their datasets.
abstract contract Custodians is World {
    uint256 private constant MAX_ENDPOINT_BYTES = 256;
    uint256 private constant MAX_PURPOSES = 64;

    /// @dev From which violation on each kind of response is taken, as the custodian published it; zero: never.
    mapping(address custodian => mapping(DatasetId dataset => uint32[4])) internal published;
    /// @dev How long its list of purposes was.
    mapping(address custodian => mapping(DatasetId dataset => uint256)) private purposesBefore;

    // ---------------------------------------------------------------- nodes

    function registerNode(uint256 seed) external {
        Dice memory dice = Dice(seed, 0);
        uint256 index = _indexOf(_admitted(dice));
        address node_ = dice.oneIn(40) ? address(0) : _nodeFor(dice, index);
        bytes32 key = dice.oneIn(40) ? bytes32(0) : dice.word();
        string memory endpoint = string(new bytes(dice.oneIn(20) ? MAX_ENDPOINT_BYTES + dice.below(2) : dice.below(70)));
        (address caller, Faults memory faults) = _custodianOrNot(dice, custodians[index]);
        if (node_ == address(0)) faults.add(IMedShareErrors.ZeroValue.selector, bytes32("node"));
        if (key == 0) faults.add(IMedShareErrors.ZeroValue.selector, bytes32("sealingKey"));
        uint256 length = bytes(endpoint).length;
        if (length > MAX_ENDPOINT_BYTES) faults.add(_tooLong(length, MAX_ENDPOINT_BYTES));
        address holder = replica.custodianOf(node_);
        if (holder != address(0) && holder != caller) faults.add(IMedShareErrors.NodeTaken.selector, node_);
        bytes memory input = abi.encodeCall(IMedShare.registerNode, (node_, key, endpoint));
        if (_expect(caller, input, Bounds.registerNode(length), faults)) _count("node registered");
    }

    function removeNode(uint256 seed) external {
        Dice memory dice = Dice(seed, 0);
        address node_ = nodes[dice.below(NODES)].addr;
        address holder = replica.custodianOf(node_);
        (address caller, Faults memory faults) = _custodianOrNot(dice, dice.oneIn(2) ? holder : _custodian(dice));
        if (holder != caller) faults.add(IMedShareErrors.UnknownNode.selector, node_);
        bytes memory input = abi.encodeCall(IMedShare.removeNode, (node_));
        if (_expect(caller, input, Bounds.REMOVE_NODE, faults)) _count("node removed");
    }

    /// @dev Its own by habit, mostly one that is not registered now; or the last one, which all want; or any.
    function _nodeFor(Dice memory dice, uint256 index) private view returns (address) {
        if (dice.oneIn(6)) return nodes[NODES - 1].addr;
        if (dice.oneIn(8)) return nodes[dice.below(NODES)].addr;
        uint256 own = index * 2 + dice.below(2);
        return nodes[_isNode(nodes[own].addr) ? own ^ 1 : own].addr;
    }

    // ---------------------------------------------------------------- datasets

    function publishDataset(uint256 seed) external {
        Dice memory dice = Dice(seed, 0);
        (address caller, Faults memory faults) = _custodianOrNot(dice, _admitted(dice));
        DatasetId dataset = dice.oneIn(40) ? DatasetId.wrap(0) : datasets[dice.below(2)];
        bytes32 descriptor = dice.oneIn(40) ? bytes32(0) : dice.word();
        if (DatasetId.unwrap(dataset) == 0) faults.add(IMedShareErrors.ZeroValue.selector, bytes32("dataset"));
        if (descriptor == 0) faults.add(IMedShareErrors.ZeroValue.selector, bytes32("descriptor"));
        bytes32[] memory list = _purposes(dice, faults);
        Response[] memory responses = _responses(dice, faults);
        bytes memory input = abi.encodeCall(IMedShare.publishDataset, (dataset, descriptor, list, responses));
        uint256 bound_ = Bounds.publish(list.length, purposesBefore[caller][dataset], responses.length);
        if (!_expect(caller, input, bound_, faults)) return;
        purposesBefore[caller][dataset] = list.length;
        _keep(caller, dataset, responses);
        _count("dataset published");
    }

    function withdrawDataset(uint256 seed) external {
        Dice memory dice = Dice(seed, 0);
        (address caller, Faults memory faults) = _custodianOrNot(dice, _admitted(dice));
        DatasetId dataset = dice.oneIn(8) ? DatasetId.wrap(dice.word()) : datasets[dice.below(2)];
        if (!replica.isOffered(caller, dataset)) {
            faults.add(abi.encodeWithSelector(IMedShareErrors.UnknownDataset.selector, caller, dataset));
        }
        bytes memory input = abi.encodeCall(IMedShare.withdrawDataset, (dataset));
        if (_expect(caller, input, Bounds.WITHDRAW, faults)) _count("dataset withdrawn");
    }

    function _keep(address custodian, DatasetId dataset, Response[] memory responses) internal {
        delete published[custodian][dataset];
        for (uint256 i = 0; i < responses.length; i++) {
            published[custodian][dataset][uint256(responses[i].kind)] = responses[i].threshold;
        }
    }

    /// @dev None or some of the three, in any order; now and then one twice, zero, or one more than may be.
    function _purposes(Dice memory dice, Faults memory faults) private view returns (bytes32[] memory list) {
        if (dice.oneIn(30)) {
            list = new bytes32[](MAX_PURPOSES + 1);
            faults.add(_tooLong(list.length, MAX_PURPOSES));
            return list;
        }
        list = new bytes32[](dice.below(4));
        uint256 first = dice.below(3);
        for (uint256 i = 0; i < list.length; i++) {
            list[i] = purposes[(first + i) % 3];
        }
        if (list.length < 2 || !dice.oneIn(12)) return list;
        if (dice.oneIn(2)) {
            list[1] = 0;
            faults.add(IMedShareErrors.ZeroValue.selector, bytes32("purpose"));
        } else {
            list[1] = list[0];
            faults.add(IMedShareErrors.PurposeTwice.selector, list[0]);
        }
    }

    /// @dev Some of the four kinds, from the first to the third violation on; now and then a list that may not be.
    function _responses(Dice memory dice, Faults memory faults) private pure returns (Response[] memory list) {
        if (dice.oneIn(30)) {
            list = new Response[](5);
            faults.add(_tooLong(5, 4));
            return list;
        }
        list = new Response[](dice.below(5));
        uint256 first = dice.below(4);
        for (uint256 i = 0; i < list.length; i++) {
            ActionKind kind = ActionKind((first + i) % 4);
            list[i] = Response(kind, kind == ActionKind.RevokePackage ? 1 : uint32(1 + dice.below(3)));
        }
        if (list.length == 0 || !dice.oneIn(12)) return list;
        uint256 bad = dice.below(3);
        if (bad == 0) list[0].threshold = 0;
        if (bad == 1) list[0] = Response(ActionKind.RevokePackage, 2);
        if (bad == 2) list[0] = list[list.length - 1];
        // The last of two is the bad one; of a list of one, nothing is.
        if (bad == 2 && list.length == 1) return list;
        Response memory wrong = bad == 2 ? list[list.length - 1] : list[0];
        faults.add(abi.encodeWithSelector(IMedShareErrors.BadResponse.selector, wrong.kind, wrong.threshold));
    }

    // ---------------------------------------------------------------- both

    function _custodianOrNot(Dice memory dice, address custodian)
        private
        view
        returns (address caller, Faults memory faults)
    {
        caller = _mostly(dice, custodian);
        faults = FaultSet.none();
        if (!replica.isCustodian(caller)) faults.add(IMedShareErrors.NotCustodian.selector, caller);
    }

    function _tooLong(uint256 length, uint256 limit) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IMedShareErrors.TooLong.selector, length, limit);
    }
}
