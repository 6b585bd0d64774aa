// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {BatchVerifier} from "../src/BatchVerifier.sol";
import {VerifyingKeys} from "../src/VerifyingKeys.sol";
import {Simulator} from "./lib/Simulator.sol";
import {TestKeys} from "./lib/TestKeys.sol";
import {VerifierTest} from "./lib/VerifierTest.sol";

/// @notice Deployment with sound keys works; every broken key is refused by the rule it breaks.
contract VerifyingKeysTest is VerifierTest {
    uint256[4] internal generator = [
        0x198e9393920d483a7260bfb731fb5d25f1aa493335a9e71297e485b7aef312c2,
        0x1800deef121f1e76426a00665e5c4479674322d4f75edadd46debd5cd992f6ed,
        0x090689d0585ff075ec9e99ad690c3395bc4b313370b38ef355acdadcd122975b,
        0x12c85ea5db8c6deb4aab71808dcb408fe3d1e7690c43d37b4ce6cc0166fa7daa
    ];

    function test_stores_the_keys_it_was_given() public {
        verifier = new BatchVerifier(keys(false), layouts());
        assertEq(verifier.shapeCount(), 3, "shapes");
        for (uint256 v = 0; v < 3; ++v) {
            uint256[34] memory expected = Simulator.key(v);
            uint256[] memory got = verifier.verifyingKey(v);
            assertEq(keccak256(abi.encodePacked(got)), keccak256(abi.encode(expected)), "key");
            assertEq(verifier.vkHash(v), keccak256(abi.encode(expected)), "vkHash");
        }
        assertEq(verifier.layoutShapes(MIXED).length, 4, "layout");
    }

    function test_the_key_store_does_nothing_when_called() public {
        verifier = new BatchVerifier(keys(false), layouts());
        (bool ok, bytes memory out) = verifier.keyStore().call(hex"12345678");
        assertTrue(ok && out.length == 0, "STOP");
    }

    function test_one_development_key_marks_the_verifier() public {
        BatchVerifier.Key[] memory list = keys(false);
        assertTrue(!new BatchVerifier(list, layouts()).development(), "none");
        list[2].development = true;
        assertTrue(new BatchVerifier(list, layouts()).development(), "one");
    }

    /*//////////////////////////////////////////////////////////////
                          GAMMA, DELTA AND ETA
    //////////////////////////////////////////////////////////////*/

    function test_refuses_delta_equal_to_gamma() public {
        BatchVerifier.Key[] memory list = keys(false);
        Simulator.put(list[1].words, 10, TestKeys.point(TestKeys.GAMMA));
        expectRefusal(list, abi.encodeWithSelector(VerifyingKeys.KeyPointsEqual.selector, 1, 10, 1, 6));
    }

    function test_refuses_eta_equal_to_gamma() public {
        BatchVerifier.Key[] memory list = keys(false);
        Simulator.put(list[0].words, 14, TestKeys.point(TestKeys.GAMMA));
        expectRefusal(list, abi.encodeWithSelector(VerifyingKeys.KeyPointsEqual.selector, 0, 14, 0, 6));
    }

    function test_refuses_eta_equal_to_delta() public {
        BatchVerifier.Key[] memory list = keys(false);
        Simulator.put(list[2].words, 14, TestKeys.point(TestKeys.delta(2)));
        expectRefusal(list, abi.encodeWithSelector(VerifyingKeys.KeyPointsEqual.selector, 2, 14, 2, 10));
    }

    function test_refuses_eta_equal_to_minus_delta() public {
        BatchVerifier.Key[] memory list = keys(false);
        uint256[4] memory point = TestKeys.point(TestKeys.delta(2));
        (point[2], point[3]) = (Simulator.Q - point[2], Simulator.Q - point[3]);
        Simulator.put(list[2].words, 14, point);
        expectRefusal(list, abi.encodeWithSelector(VerifyingKeys.KeyPointsEqual.selector, 2, 14, 2, 10));
    }

    function test_refuses_a_denominator_shared_by_two_shapes() public {
        BatchVerifier.Key[] memory list = keys(false);
        Simulator.put(list[2].words, 10, TestKeys.point(TestKeys.delta(1)));
        expectRefusal(list, abi.encodeWithSelector(VerifyingKeys.KeyPointsEqual.selector, 2, 10, 1, 10));
        list = keys(false);
        Simulator.put(list[2].words, 10, TestKeys.point(TestKeys.eta(0)));
        expectRefusal(list, abi.encodeWithSelector(VerifyingKeys.KeyPointsEqual.selector, 2, 10, 0, 14));
    }

    function test_refuses_the_generator_as_delta_or_eta() public {
        for (uint256 w = 10; w <= 14; w += 4) {
            BatchVerifier.Key[] memory list = keys(false);
            Simulator.put(list[1].words, w, generator);
            bytes4 selector = VerifyingKeys.KeyPointIsGenerator.selector;
            expectRefusal(list, abi.encodeWithSelector(selector, 1, w));
        }
    }

    /*//////////////////////////////////////////////////////////////
                                 POINTS
    //////////////////////////////////////////////////////////////*/

    function test_refuses_every_coordinate_plus_q() public {
        for (uint256 w = 0; w < 34; ++w) {
            BatchVerifier.Key[] memory list = keys(false);
            list[0].words[w] += Simulator.Q;
            bytes4 selector = VerifyingKeys.KeyCoordinate.selector;
            expectRefusal(list, abi.encodeWithSelector(selector, 0, w, list[0].words[w]));
        }
    }

    function test_refuses_every_point_at_infinity() public {
        for (uint256 w = 0; w < 34; w += size(w)) {
            BatchVerifier.Key[] memory list = keys(false);
            for (uint256 i = 0; i < size(w); ++i) {
                list[0].words[w + i] = 0;
            }
            // alpha to gamma are compared with key 0 first, so a lone key is broken here.
            bytes4 selector = VerifyingKeys.KeyPointAtInfinity.selector;
            expectRefusal(only(list[0]), abi.encodeWithSelector(selector, 0, w));
        }
    }

    function test_refuses_every_point_off_its_curve() public {
        for (uint256 w = 0; w < 34; w += size(w)) {
            BatchVerifier.Key[] memory list = keys(false);
            list[0].words[w + size(w) - 1] ^= 1;
            bytes4 selector = VerifyingKeys.KeyPointInvalid.selector;
            expectRefusal(only(list[0]), abi.encodeWithSelector(selector, 0, w));
        }
    }

    function test_refuses_every_G2_point_outside_the_subgroup() public {
        for (uint256 w = 2; w < 18; w += 4) {
            BatchVerifier.Key[] memory list = keys(false);
            Simulator.put(list[0].words, w, TestKeys.outsideSubgroup());
            bytes4 selector = VerifyingKeys.KeyPointInvalid.selector;
            expectRefusal(only(list[0]), abi.encodeWithSelector(selector, 0, w));
        }
    }

    function test_refuses_keys_with_another_alpha_beta_or_gamma() public {
        for (uint256 w = 0; w < 10; ++w) {
            BatchVerifier.Key[] memory list = keys(false);
            uint256 expected = list[2].words[w];
            list[2].words[w] ^= 1;
            bytes4 selector = VerifyingKeys.KeyNotShared.selector;
            expectRefusal(list, abi.encodeWithSelector(selector, 2, w, expected, expected ^ 1));
        }
    }

    function test_refuses_no_key_and_too_many() public {
        expectRefusal(
            new BatchVerifier.Key[](0), abi.encodeWithSelector(VerifyingKeys.KeyCount.selector, 22, 0)
        );
        expectRefusal(
            new BatchVerifier.Key[](23), abi.encodeWithSelector(VerifyingKeys.KeyCount.selector, 22, 23)
        );
    }

    /*//////////////////////////////////////////////////////////////
                                HELPERS
    //////////////////////////////////////////////////////////////*/

    /// @dev Words of the point that starts at word `w`.
    function size(uint256 w) internal pure returns (uint256) {
        return w >= 2 && w < 18 ? 4 : 2;
    }

    function only(BatchVerifier.Key memory key) internal pure returns (BatchVerifier.Key[] memory list) {
        list = new BatchVerifier.Key[](1);
        list[0] = key;
    }

    /// @dev Calls through `this` with bounded gas: a precompile that refuses consumes all it is given.
    function expectRefusal(BatchVerifier.Key[] memory list, bytes memory reason) internal {
        try this.deploy{gas: 20_000_000}(list) {
            revert NotTrue("refused");
        } catch (bytes memory got) {
            assertEq(keccak256(got), keccak256(reason), "reason");
        }
    }

    function deploy(BatchVerifier.Key[] memory list) external {
        new BatchVerifier(list, new BatchVerifier.Layout[](0));
    }
}
