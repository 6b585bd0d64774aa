// SPDX-License-Identifier: MIT OR Apache-2.0
pragma solidity ^0.8.29;

/// A pair of tokens with constant product, its shares and its factory, in the manner of Uniswap V2.
interface IErc20 {
    function balanceOf(address holder) external view returns (uint256);
    function transfer(address to, uint256 amount) external returns (bool);
}

interface IPairCallee {
    function pairCall(address sender, uint256 amount0, uint256 amount1, bytes calldata data) external;
}

/// The shares of a pair: an ERC-20 without owner.
abstract contract Shares {
    string public constant name = "Lathe Pair";
    string public constant symbol = "LP";
    uint8 public constant decimals = 18;

    uint256 public totalSupply;
    mapping(address => uint256) public balanceOf;
    mapping(address => mapping(address => uint256)) public allowance;

    event Approval(address indexed owner, address indexed spender, uint256 value);
    event Transfer(address indexed from, address indexed to, uint256 value);

    function approve(address spender, uint256 value) external returns (bool) {
        allowance[msg.sender][spender] = value;
        emit Approval(msg.sender, spender, value);
        return true;
    }

    function transfer(address to, uint256 value) external returns (bool) {
        _move(msg.sender, to, value);
        return true;
    }

    function transferFrom(address from, address to, uint256 value) external returns (bool) {
        uint256 allowed = allowance[from][msg.sender];
        if (allowed != type(uint256).max) allowance[from][msg.sender] = allowed - value;
        _move(from, to, value);
        return true;
    }

    function _move(address from, address to, uint256 value) internal {
        balanceOf[from] -= value;
        balanceOf[to] += value;
        emit Transfer(from, to, value);
    }

    function _issue(address to, uint256 value) internal {
        totalSupply += value;
        balanceOf[to] += value;
        emit Transfer(address(0), to, value);
    }

    function _redeem(address from, uint256 value) internal {
        balanceOf[from] -= value;
        totalSupply -= value;
        emit Transfer(from, address(0), value);
    }
}

contract Pair is Shares {
    uint256 public constant MINIMUM_LIQUIDITY = 1000;

    address public factory;
    address public token0;
    address public token1;

    uint112 private reserve0;
    uint112 private reserve1;
    uint32 private updated;

    uint256 public price0Cumulative;
    uint256 public price1Cumulative;
    uint256 private unlocked = 1;

    event Mint(address indexed sender, uint256 amount0, uint256 amount1);
    event Burn(address indexed sender, uint256 amount0, uint256 amount1, address indexed to);
    event Swap(address indexed sender, uint256 in0, uint256 in1, uint256 out0, uint256 out1, address indexed to);
    event Sync(uint112 reserve0, uint112 reserve1);

    error Locked();
    error Forbidden();
    error InsufficientLiquidity();
    error InsufficientInput();
    error InvariantBroken(uint256 product, uint256 needed);
    error TransferFailed(address token);

    modifier lock() {
        if (unlocked != 1) revert Locked();
        unlocked = 0;
        _;
        unlocked = 1;
    }

    constructor() {
        factory = msg.sender;
    }

    function initialize(address token0_, address token1_) external {
        if (msg.sender != factory) revert Forbidden();
        (token0, token1) = (token0_, token1_);
    }

    function getReserves() public view returns (uint112, uint112, uint32) {
        return (reserve0, reserve1, updated);
    }

    function quote(uint256 amountIn, bool zeroForOne) external view returns (uint256) {
        (uint256 reserveIn, uint256 reserveOut) = zeroForOne ? (reserve0, reserve1) : (reserve1, reserve0);
        if (reserveIn == 0 || reserveOut == 0) revert InsufficientLiquidity();
        uint256 withFee = amountIn * 997;
        return withFee * reserveOut / (reserveIn * 1000 + withFee);
    }

    function mint(address to) external lock returns (uint256 liquidity) {
        (uint112 r0, uint112 r1,) = getReserves();
        uint256 balance0 = IErc20(token0).balanceOf(address(this));
        uint256 balance1 = IErc20(token1).balanceOf(address(this));
        uint256 amount0 = balance0 - r0;
        uint256 amount1 = balance1 - r1;
        uint256 supply = totalSupply;
        if (supply == 0) {
            liquidity = _sqrt(amount0 * amount1) - MINIMUM_LIQUIDITY;
            _issue(address(0), MINIMUM_LIQUIDITY);
        } else {
            uint256 share0 = amount0 * supply / r0;
            uint256 share1 = amount1 * supply / r1;
            liquidity = share0 < share1 ? share0 : share1;
        }
        if (liquidity == 0) revert InsufficientLiquidity();
        _issue(to, liquidity);
        _update(balance0, balance1, r0, r1);
        emit Mint(msg.sender, amount0, amount1);
    }

    function burn(address to) external lock returns (uint256 amount0, uint256 amount1) {
        (uint112 r0, uint112 r1,) = getReserves();
        (address t0, address t1) = (token0, token1);
        uint256 liquidity = balanceOf[address(this)];
        uint256 supply = totalSupply;
        amount0 = liquidity * IErc20(t0).balanceOf(address(this)) / supply;
        amount1 = liquidity * IErc20(t1).balanceOf(address(this)) / supply;
        if (amount0 == 0 || amount1 == 0) revert InsufficientLiquidity();
        _redeem(address(this), liquidity);
        _pay(t0, to, amount0);
        _pay(t1, to, amount1);
        _update(IErc20(t0).balanceOf(address(this)), IErc20(t1).balanceOf(address(this)), r0, r1);
        emit Burn(msg.sender, amount0, amount1, to);
    }

    function swap(uint256 out0, uint256 out1, address to, bytes calldata data) external lock {
        if (out0 == 0 && out1 == 0) revert InsufficientInput();
        (uint112 r0, uint112 r1,) = getReserves();
        if (out0 >= r0 || out1 >= r1) revert InsufficientLiquidity();
        (address t0, address t1) = (token0, token1);
        if (out0 > 0) _pay(t0, to, out0);
        if (out1 > 0) _pay(t1, to, out1);
        if (data.length > 0) IPairCallee(to).pairCall(msg.sender, out0, out1, data);
        uint256 balance0 = IErc20(t0).balanceOf(address(this));
        uint256 balance1 = IErc20(t1).balanceOf(address(this));
        uint256 in0 = balance0 > r0 - out0 ? balance0 - (r0 - out0) : 0;
        uint256 in1 = balance1 > r1 - out1 ? balance1 - (r1 - out1) : 0;
        if (in0 == 0 && in1 == 0) revert InsufficientInput();
        uint256 product = (balance0 * 1000 - in0 * 3) * (balance1 * 1000 - in1 * 3);
        uint256 needed = uint256(r0) * r1 * 1000 ** 2;
        if (product < needed) revert InvariantBroken(product, needed);
        _update(balance0, balance1, r0, r1);
        emit Swap(msg.sender, in0, in1, out0, out1, to);
    }

    function sync() external lock {
        _update(
            IErc20(token0).balanceOf(address(this)), IErc20(token1).balanceOf(address(this)), reserve0, reserve1
        );
    }

    function _update(uint256 balance0, uint256 balance1, uint112 r0, uint112 r1) private {
        require(balance0 <= type(uint112).max && balance1 <= type(uint112).max, "overflow");
        unchecked {
            uint32 elapsed = uint32(block.timestamp) - updated;
            if (elapsed > 0 && r0 != 0 && r1 != 0) {
                price0Cumulative += (uint256(r1) << 112) / r0 * elapsed;
                price1Cumulative += (uint256(r0) << 112) / r1 * elapsed;
            }
        }
        (reserve0, reserve1, updated) = (uint112(balance0), uint112(balance1), uint32(block.timestamp));
        emit Sync(reserve0, reserve1);
    }

    function _pay(address token, address to, uint256 amount) private {
        (bool ok, bytes memory data) = token.call(abi.encodeCall(IErc20.transfer, (to, amount)));
        if (!ok || (data.length != 0 && !abi.decode(data, (bool)))) revert TransferFailed(token);
    }

    function _sqrt(uint256 y) private pure returns (uint256 z) {
        if (y <= 3) return y == 0 ? 0 : 1;
        z = y;
        for (uint256 x = y / 2 + 1; x < z; x = (y / x + x) / 2) z = x;
    }
}

contract PairFactory {
    mapping(address => mapping(address => address)) public getPair;
    address[] public allPairs;
    address public feeTo;
    address public feeToSetter;

    event PairCreated(address indexed token0, address indexed token1, address pair, uint256 count);

    error Identical();
    error ZeroAddress();
    error Exists();
    error Forbidden();

    constructor(address feeToSetter_) {
        feeToSetter = feeToSetter_;
    }

    function allPairsLength() external view returns (uint256) {
        return allPairs.length;
    }

    function createPair(address a, address b) external returns (address pair) {
        if (a == b) revert Identical();
        (address token0, address token1) = a < b ? (a, b) : (b, a);
        if (token0 == address(0)) revert ZeroAddress();
        if (getPair[token0][token1] != address(0)) revert Exists();
        pair = address(new Pair{salt: keccak256(abi.encodePacked(token0, token1))}());
        Pair(pair).initialize(token0, token1);
        getPair[token0][token1] = pair;
        getPair[token1][token0] = pair;
        allPairs.push(pair);
        emit PairCreated(token0, token1, pair, allPairs.length);
    }

    function setFeeTo(address to) external {
        if (msg.sender != feeToSetter) revert Forbidden();
        feeTo = to;
    }

    function setFeeToSetter(address to) external {
        if (msg.sender != feeToSetter) revert Forbidden();
        feeToSetter = to;
    }
}
