// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Campaign} from "./Campaign.sol";

/// @notice The invariants of the contract, and where each is checked. All in one campaign, since forge runs one for
/// every `invariant_` function.
///
/// After every call (Checks.sol):
/// - a revoked package never becomes active without its own custodian;
/// - retrieved and expired are final;
/// - nobody reads as active after a violation was accepted;
/// - heads only move along valid headers: they are where the handlers' own mining led to;
/// - the state rebuilt from events (Replica.sol) equals the storage.
///
/// At every call (World.sol, handlers/):
/// - it succeeds if nothing is wrong with it, and else fails with one of the errors that say what is;
/// - it costs at most its bound, whatever others did (Bounds.sol);
/// - an accepted violation is one by `judge`, and no report settles twice (Violating.sol);
/// - no package without its requestor's signature, and each bears two different registered nodes (Issuing.sol);
/// - a bad or stale item or segment changes nothing (Issuing.sol, Anchoring.sol).
contract InvariantsTest is Campaign {
    function setUp() public override {
        super.setUp();
        targetContract(address(this));
        targetSelector(FuzzSelector(address(this), _handlers()));
    }

    function invariant_hold() external view {
        // A call that reverted can't have changed anything.
        if (!moved) return;
        _checkParticipants();
        _checkRequestors();
        _checkPackages();
    }

    function afterInvariant() external view {
        _checkParticipants();
        _checkRequestors();
        _checkAllPackages();
    }
}
