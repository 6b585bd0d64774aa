// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.29;

import {ERC20} from "solmate/src/tokens/ERC20.sol";
import {ERC721} from "solmate/src/tokens/ERC721.sol";
import {ERC1155} from "solmate/src/tokens/ERC1155.sol";
import {ERC4626} from "solmate/src/tokens/ERC4626.sol";
import {WETH} from "solmate/src/tokens/WETH.sol";

contract SolmateErc20 is ERC20 {
    constructor(uint256 supply) ERC20("Mate", "MTE", 18) {
        _mint(msg.sender, supply);
    }

    function burn(uint256 amount) external {
        _burn(msg.sender, amount);
    }
}

contract SolmateErc721 is ERC721 {
    constructor() ERC721("Mates", "MTS") {}

    function tokenURI(uint256) public pure override returns (string memory) {
        return "https://things.example/mate";
    }

    function mint(address to, uint256 id) external {
        _mint(to, id);
    }

    function burn(uint256 id) external {
        _burn(id);
    }
}

contract SolmateErc1155 is ERC1155 {
    function uri(uint256) public pure override returns (string memory) {
        return "https://things.example/{id}";
    }

    function mint(address to, uint256 id, uint256 amount, bytes calldata data) external {
        _mint(to, id, amount, data);
    }

    function burn(address from, uint256 id, uint256 amount) external {
        _burn(from, id, amount);
    }
}

contract SolmateVault is ERC4626 {
    constructor(ERC20 asset) ERC4626(asset, "Vault", "VLT") {}

    function totalAssets() public view override returns (uint256) {
        return asset.balanceOf(address(this));
    }
}

contract SolmateWeth is WETH {}
