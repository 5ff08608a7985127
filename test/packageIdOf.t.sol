// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessRequest, DatasetId, PackageId} from "../contracts/interfaces/Types.sol";
import {Base} from "./Base.t.sol";
import {Messages} from "./Messages.sol";

/// @notice Forge's own EIP-712 encoder, which forge-std 1.9.3 does not list yet.
interface TypedDataHasher {
    function eip712HashTypedData(string calldata json) external pure returns (bytes32);
}

contract PackageIdOfTest is Base {
    function test_isTheDigest(AccessRequest calldata request) public view {
        assertEq(PackageId.unwrap(med.packageIdOf(request)), PackageId.unwrap(_idOf(request)));
    }

    /// @notice What a wallet computes of the nested message as a browser sends it (`eth_signTypedData_v4`).
    function test_isWhatAWalletSigns() public view {
        string[] memory fields = new string[](2);
        (fields[0], fields[1]) = ("age", "diagnosis");
        AccessRequest memory request = AccessRequest({
            requestor: requestor.addr,
            custodian: hospital,
            dataset: DATASET,
            purpose: PURPOSE,
            selection: Messages.selection(fields, "age >= 40"),
            salt: keccak256("salt"),
            deadline: 1_800_000_000_000
        });
        bytes32 expected = TypedDataHasher(address(vm)).eip712HashTypedData(json(request));
        assertEq(PackageId.unwrap(med.packageIdOf(request)), expected);
    }

    function test_differsByChainAndContract() public {
        AccessRequest memory request = _request();
        PackageId here = med.packageIdOf(request);
        vm.chainId(1);
        assertNotEq(PackageId.unwrap(med.packageIdOf(request)), PackageId.unwrap(here));
        vm.chainId(31337);
        PackageId there = _deploy(admin, 0x207fffff).packageIdOf(request);
        assertNotEq(PackageId.unwrap(there), PackageId.unwrap(here));
    }

    function json(AccessRequest memory request) private view returns (string memory) {
        string memory types = string.concat(
            '{"types":{"EIP712Domain":[{"name":"name","type":"string"},{"name":"version","type":"string"},',
            '{"name":"chainId","type":"uint256"},{"name":"verifyingContract","type":"address"}],',
            '"AccessRequest":[{"name":"requestor","type":"address"},{"name":"custodian","type":"address"},',
            '{"name":"dataset","type":"bytes32"},{"name":"purpose","type":"bytes32"},',
            '{"name":"selection","type":"Selection"},{"name":"salt","type":"bytes32"},',
            '{"name":"deadline","type":"uint64"}],',
            '"Selection":[{"name":"fields","type":"string[]"},{"name":"filter","type":"string"}]},'
        );
        string memory domain = string.concat(
            '"primaryType":"AccessRequest","domain":{"name":"MeDShare","version":"1","chainId":"31337",',
            '"verifyingContract":"',
            vm.toString(address(med)),
            '"},'
        );
        string memory message = string.concat(
            '"message":{"requestor":"',
            vm.toString(request.requestor),
            '","custodian":"',
            vm.toString(request.custodian),
            '","dataset":"',
            vm.toString(DatasetId.unwrap(request.dataset)),
            '","purpose":"',
            vm.toString(request.purpose)
        );
        return string.concat(
            types,
            domain,
            message,
            '","selection":{"fields":["age","diagnosis"],"filter":"age >= 40"},"salt":"',
            vm.toString(request.salt),
            '","deadline":"1800000000000"}}'
        );
    }
}
