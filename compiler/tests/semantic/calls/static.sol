contract Writer {
    uint256 public x;
    event E();
    function write() external { x = 1; }
    function log() external { emit E(); }
    function read() external view returns (uint256) { return x + 5; }
    function deeper() external returns (bool ok) { (ok,) = address(this).call(abi.encodeCall(this.write, ())); }
}
contract C {
    Writer w = new Writer();
    function look(bytes4 f) external view returns (bool ok, uint256 length) {
        bytes memory data;
        (ok, data) = address(w).staticcall(abi.encodePacked(f));
        length = data.length;
    }
    function deeper() external view returns (bool) {
        (bool ok, bytes memory data) = address(w).staticcall(abi.encodeCall(Writer.deeper, ()));
        return ok && abi.decode(data, (bool));
    }
    function selectors() external pure returns (bytes4, bytes4, bytes4) { return (Writer.write.selector, Writer.log.selector, Writer.read.selector); }
    function all() external view returns (bool, bool, bool) {
        (bool a,) = this.look(Writer.write.selector);
        (bool b,) = this.look(Writer.log.selector);
        (bool c,) = this.look(Writer.read.selector);
        return (a, b, c);
    }
}
// ----
// all() -> false, false, true
// deeper() -> false
