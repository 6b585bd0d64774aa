// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.28;

import {L2Messages} from "../src/L2Messages.sol";
import {Test} from "./lib/Test.sol";

/// @notice Every message of a batch is in its tree, once, and nothing else is.
contract L2MessagesTest is Test {
    using L2Messages for L2Messages.Message;

    /// @dev Of the messages 0, 1, 2 with data "message" from 0xa0, 0xa1, 0xa2: what the messenger answers on
    /// L2 too.
    bytes32 internal constant ROOT_OF_THREE =
        0x31829f5bc36348e8ac12d91d24497f29c73a3df7e101d274f46cdf249abd9061;

    /// @dev Levels of a tree from the leaves to the root, a zero at the end of each but the last that is odd.
    bytes32[][] private _levels;

    function message(uint256 number) internal pure returns (L2Messages.Message memory) {
        bytes memory data = new bytes(number % 70);
        for (uint256 i = 0; i < data.length; ++i) {
            data[i] = bytes1(uint8(number));
        }
        return L2Messages.Message(number, address(uint160(0xa0 + number)), data);
    }

    function node(bytes32 left, bytes32 right) internal pure returns (bytes32) {
        return keccak256(abi.encode(left, right));
    }

    /// @dev A tree of messages `first .. first + count`.
    function grow(uint256 first, uint256 count) internal returns (bytes32) {
        delete _levels;
        bytes32[] memory level = new bytes32[](count);
        for (uint256 i = 0; i < count; ++i) {
            level[i] = message(first + i).leafOf();
        }
        while (level.length > 1) {
            bytes32[] memory padded = new bytes32[](level.length + level.length % 2);
            for (uint256 i = 0; i < level.length; ++i) {
                padded[i] = level[i];
            }
            _levels.push(padded);
            level = new bytes32[](padded.length / 2);
            for (uint256 i = 0; i < level.length; ++i) {
                level[i] = node(padded[2 * i], padded[2 * i + 1]);
            }
        }
        _levels.push(level);
        return level[0];
    }

    function pathOf(uint256 index) internal view returns (bytes32[] memory path) {
        path = new bytes32[](_levels.length - 1);
        for (uint256 i = 0; i < path.length; ++i) {
            path[i] = _levels[i][(index >> i) ^ 1];
        }
    }

    function test_every_message_is_in_its_place_alone() public {
        for (uint256 count = 1; count <= 17; ++count) {
            bytes32 root = grow(100, count);
            for (uint256 i = 0; i < count; ++i) {
                bytes32[] memory path = pathOf(i);
                assertTrue(L2Messages.isIncluded(root, message(100 + i), i, path), "in its place");
                for (uint256 other = 0; other < 40; ++other) {
                    bool included = L2Messages.isIncluded(root, message(100 + i), other, path);
                    assertTrue(included == (other == i), "in another place");
                }
            }
        }
    }

    function test_the_largest_batch() public {
        bytes32 root = grow(0, 1024);
        assertTrue(L2Messages.isIncluded(root, message(1023), 1023, pathOf(1023)), "the last");
        assertEq(pathOf(0).length, L2Messages.MAX_DEPTH, "depth");
    }

    /// @dev The same messages and root as in `compiler/tests/system_contracts.rs`.
    function test_the_root_is_that_of_the_messenger() public pure {
        bytes32[3] memory leaves;
        for (uint256 i = 0; i < 3; ++i) {
            L2Messages.Message memory one =
                L2Messages.Message(i, address(uint160(0xa0 + i)), bytes("message"));
            leaves[i] = one.leafOf();
        }
        bytes32[] memory path = new bytes32[](2);
        (path[0], path[1]) = (0, node(leaves[0], leaves[1]));
        L2Messages.Message memory last = L2Messages.Message(2, address(0xa2), bytes("message"));
        assertTrue(L2Messages.isIncluded(ROOT_OF_THREE, last, 2, path), "the third of three");
    }

    function test_refuses_other_messages() public {
        bytes32 root = grow(7, 6);
        bytes32[] memory path = pathOf(3);
        L2Messages.Message memory sent = message(10);
        assertTrue(L2Messages.isIncluded(root, sent, 3, path), "as sent");
        sent.number = 11;
        assertTrue(!L2Messages.isIncluded(root, sent, 3, path), "another number");
        sent = message(10);
        sent.sender = address(0x8001);
        assertTrue(!L2Messages.isIncluded(root, sent, 3, path), "another sender");
        sent = message(10);
        sent.data = bytes.concat(sent.data, hex"00");
        assertTrue(!L2Messages.isIncluded(root, sent, 3, path), "other data");
        assertTrue(!L2Messages.isIncluded(grow(8, 6), message(10), 3, path), "another batch");
    }

    function test_refuses_any_change_of_the_path(uint256 index, uint256 place, uint256 bit) public {
        bytes32 root = grow(0, 13);
        index %= 13;
        bytes32[] memory path = pathOf(index);
        place %= path.length;
        path[place] = bytes32(uint256(path[place]) ^ (1 << (bit % 256)));
        assertTrue(!L2Messages.isIncluded(root, message(index), index, path), "another neighbour");
    }

    function test_refuses_paths_that_are_too_short_or_too_long() public {
        bytes32 root = grow(0, 5);
        bytes32[] memory path = pathOf(1);
        bytes32[] memory other = new bytes32[](2);
        (other[0], other[1]) = (path[0], path[1]);
        assertTrue(!L2Messages.isIncluded(root, message(1), 1, other), "too short");
        other = new bytes32[](4);
        (other[0], other[1], other[2]) = (path[0], path[1], path[2]);
        assertTrue(!L2Messages.isIncluded(root, message(1), 1, other), "too long");
        // Eleven levels of a tree that no messenger makes.
        bytes32 deep = message(1).leafOf();
        other = new bytes32[](11);
        for (uint256 i = 0; i < 10; ++i) {
            deep = node(deep, 0);
        }
        bytes32[] memory ten = new bytes32[](10);
        assertTrue(L2Messages.isIncluded(deep, message(1), 0, ten), "ten levels");
        assertTrue(!L2Messages.isIncluded(node(deep, 0), message(1), 0, other), "eleven levels");
    }

    /// @dev A message whose leaf has the bytes of a node below it: whatever the words are, three are hashed,
    /// not two.
    function test_refuses_a_node_as_a_message() public {
        bytes32 root = grow(0, 4);
        bytes32 left = _levels[1][0];
        assertEq(left, node(_levels[0][0], _levels[0][1]), "a node");
        bytes32[] memory path = new bytes32[](1);
        path[0] = _levels[1][1];
        // The node's own preimage, as number and sender, or as data.
        uint256 number = uint256(_levels[0][0]);
        address sender = address(uint160(uint256(_levels[0][1])));
        L2Messages.Message memory forged = L2Messages.Message(number, sender, "");
        assertTrue(!L2Messages.isIncluded(root, forged, 0, path), "the node's words");
        forged.data = bytes.concat(_levels[0][0], _levels[0][1]);
        assertTrue(!L2Messages.isIncluded(root, forged, 0, path), "the node's bytes");
        assertTrue(forged.leafOf() != left, "a leaf that is a node");
    }

    function test_a_batch_without_messages_includes_none() public pure {
        assertTrue(!L2Messages.isIncluded(0, message(0), 0, new bytes32[](0)), "root zero");
    }
}
