// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.29;

import {ERC20} from "solady/src/tokens/ERC20.sol";
import {ERC721} from "solady/src/tokens/ERC721.sol";
import {ERC1155} from "solady/src/tokens/ERC1155.sol";
import {ERC4626} from "solady/src/tokens/ERC4626.sol";
import {LibString} from "solady/src/utils/LibString.sol";
import {FixedPointMathLib} from "solady/src/utils/FixedPointMathLib.sol";
import {LibSort} from "solady/src/utils/LibSort.sol";

contract SoladyErc20 is ERC20 {
    constructor(uint256 supply) {
        _mint(msg.sender, supply);
    }

    function name() public pure override returns (string memory) {
        return "Lady";
    }

    function symbol() public pure override returns (string memory) {
        return "LDY";
    }
}

contract SoladyErc721 is ERC721 {
    using LibString for uint256;

    function name() public pure override returns (string memory) {
        return "Ladies";
    }

    function symbol() public pure override returns (string memory) {
        return "LDS";
    }

    function tokenURI(uint256 id) public pure override returns (string memory) {
        return string.concat("https://things.example/", id.toString());
    }

    function mint(address to, uint256 id) external {
        _mint(to, id);
    }

    function burn(uint256 id) external {
        _burn(msg.sender, id);
    }
}

contract SoladyErc1155 is ERC1155 {
    function uri(uint256 id) public pure override returns (string memory) {
        return string.concat("https://things.example/", LibString.toHexString(id));
    }

    function mint(address to, uint256 id, uint256 amount, bytes calldata data) external {
        _mint(to, id, amount, data);
    }

    function burn(address from, uint256 id, uint256 amount) external {
        _burn(msg.sender, from, id, amount);
    }
}

contract SoladyVault is ERC4626 {
    address private immutable token;

    constructor(address token_) {
        token = token_;
    }

    function asset() public view override returns (address) {
        return token;
    }

    function name() public pure override returns (string memory) {
        return "Vault";
    }

    function symbol() public pure override returns (string memory) {
        return "VLT";
    }
}

/// Numeric and text helpers, written almost wholly in assembly.
contract SoladyLibraries {
    function roots(uint256 x) external pure returns (uint256, uint256, uint256) {
        return (FixedPointMathLib.sqrt(x), FixedPointMathLib.cbrt(x), FixedPointMathLib.log2(x));
    }

    function fullMulDiv(uint256 a, uint256 b, uint256 d) external pure returns (uint256) {
        return FixedPointMathLib.fullMulDiv(a, b, d);
    }

    function exponential(int256 x) external pure returns (int256) {
        return FixedPointMathLib.expWad(x);
    }

    function logarithm(int256 x) external pure returns (int256) {
        return FixedPointMathLib.lnWad(x);
    }

    function text(uint256 x, int256 y) external pure returns (string memory, string memory, string memory) {
        return (LibString.toString(x), LibString.toString(y), LibString.toHexString(x));
    }

    function search(string calldata a, string calldata b) external pure returns (uint256, bool) {
        return (LibString.indexOf(a, b), LibString.startsWith(a, b));
    }

    function sort(uint256[] memory list) external pure returns (uint256[] memory) {
        LibSort.sort(list);
        return list;
    }
}
