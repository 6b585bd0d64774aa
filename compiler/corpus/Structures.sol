// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.29;

/// Structs, arrays and mappings in storage and memory.
contract Structures {
    struct Point {
        int64 x;
        int64 y;
    }

    struct Item {
        uint96 price;
        address owner;
        bool sold;
        Point at;
        uint256[] bids;
        string name;
    }

    Item[] private items;
    mapping(address => mapping(uint256 => Point)) private marks;
    mapping(string => uint256) public counts;
    uint16[] public packed;
    uint256[3][2] public grid;
    int24[5] private small;
    Point private origin;

    function addItem(uint96 price, address owner, Point calldata at, string calldata name) external returns (uint256) {
        Item storage item = items.push();
        item.price = price;
        item.owner = owner;
        item.at = at;
        item.name = name;
        counts[name] += 1;
        return items.length;
    }

    function bid(uint8 index, uint256 amount) external {
        items[index % 4].bids.push(amount);
        items[index % 4].sold = amount > 100;
    }

    function unbid(uint8 index) external {
        items[index % 4].bids.pop();
    }

    function item(uint8 index) external view returns (Item memory) {
        return items[index % 4];
    }

    function allItems() external view returns (Item[] memory) {
        return items;
    }

    function removeItem(uint8 index) external {
        uint256 at = index % 4;
        items[at] = items[items.length - 1];
        items.pop();
    }

    function clear() external {
        delete items;
        delete packed;
        delete grid;
    }

    function mark(address who, uint256 key, Point memory at) external returns (Point memory before) {
        before = marks[who][key];
        marks[who][key] = at;
    }

    function pushPacked(uint16[] calldata values) external returns (uint16[] memory) {
        for (uint256 i = 0; i < values.length && i < 20; i++) packed.push(values[i]);
        return packed;
    }

    function setPacked(uint16[] memory values) external returns (uint256 sum) {
        packed = values;
        for (uint256 i; i < packed.length; ++i) sum += packed[i];
    }

    function setPackedAt(uint8 index, uint16 value) external {
        packed[index % 24] = value;
    }

    function popPacked() external {
        packed.pop();
    }

    function setGrid(uint8 row, uint256[3] calldata values) external {
        grid[row] = values;
    }

    function wholeGrid() external view returns (uint256[3][2] memory) {
        return grid;
    }

    function setSmall(int24[5] memory values) external returns (int256 sum) {
        small = values;
        for (uint256 i; i < 5; ++i) sum += small[i];
    }

    function moveOrigin(int64 dx, int64 dy) external returns (Point memory) {
        origin.x += dx;
        origin.y -= dy;
        return origin;
    }

    function nested(uint8[][] calldata rows) external pure returns (uint256 total, uint8[][] memory copy) {
        copy = rows;
        for (uint256 i; i < copy.length; ++i) {
            for (uint256 j; j < copy[i].length; ++j) total += copy[i][j];
        }
    }

    function points(Point[] calldata list) external pure returns (Point memory sum) {
        for (uint256 i; i < list.length; ++i) {
            sum.x += list[i].x;
            sum.y += list[i].y;
        }
    }

    function makeArray(uint8 length, uint256 seed) external pure returns (uint256[] memory out) {
        out = new uint256[](length % 32);
        for (uint256 i; i < out.length; ++i) out[i] = uint256(keccak256(abi.encode(seed, i)));
    }
}
