// The kernel: runs a batch of Ethereum transactions. `docs/batch.md` is its specification, byte for byte.
//
// It must consume every posted byte, must decide all that it does from these bytes and the state alone, and must come to its
// end whatever the transactions are: one that cannot run is skipped. What it reverts for is framing that only the sequencer
// itself can break.
//
// Every transaction ends with a log of the kernel from which nodes make its receipt: outcome (1 success, 0 failure, 256 + reason
// if it was skipped), gas used, address of the contract created.
object "ethereum" {
    code {
        run_batch()

        // ---- constants ------------------------------------------------------------------------------------------------

        function VERSION() -> x { x := 1 }
        // Above every gas limit that the machine can count.
        function MAX_GAS() -> x { x := 0xffffffff }
        // Wei per gas, and wei minted, stay below this, so that no product overflows.
        function MAX_WEI() -> x { x := 0x100000000000000000000000000000000 }
        function MAX_NONCE() -> x { x := 0xffffffffffffffff }
        // Half the order of secp256k1 (EIP-2).
        function MAX_S() -> x { x := 0x7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0 }
        // An offset beyond all posted bytes: where reading goes on after something malformed. It never comes back from there.
        function MALFORMED() -> x { x := 0x10000000000000000 }

        // What calls come from that nobody signed.
        function KERNEL() -> x { x := 0x8000 }
        function MESSENGER() -> x { x := 0x8005 }
        function BLOCK_CONTEXT() -> x { x := 0x8006 }

        // Reasons to skip.
        function BAD_FORM() -> x { x := 1 }
        function UNSUPPORTED() -> x { x := 2 }
        function WRONG_CHAIN() -> x { x := 3 }
        function BAD_SIGNATURE() -> x { x := 4 }
        function SENDER_IS_CONTRACT() -> x { x := 5 }
        function NONCE_LOW() -> x { x := 6 }
        function NONCE_HIGH() -> x { x := 7 }
        function FEE_CAP_LOW() -> x { x := 8 }
        function PRIORITY_ABOVE_CAP() -> x { x := 9 }
        function INTRINSIC_GAS() -> x { x := 10 }
        function BLOCK_GAS() -> x { x := 11 }
        function BALANCE_LOW() -> x { x := 12 }
        function ACCOUNT_REFUSED() -> x { x := 13 }
        function PAYMASTER_REFUSED() -> x { x := 14 }
        function PRIORITY_LATE() -> x { x := 15 }
        function NONCE_LAST() -> x { x := 16 }

        // Intrinsic gas.
        function BASE_GAS() -> x { x := 21000 }
        function BYTE_GAS() -> x { x := 16 }
        function CREATION_GAS() -> x { x := 32000 }
        function ACCOUNT_GAS() -> x { x := 10000 }
        // The most that an account or a paymaster may use to say yes.
        function VALIDATION_GAS() -> x { x := 1000000 }
        // Of making a page known: of each word, and once.
        function PAGE_WORD_GAS() -> x { x := 12 }
        function PAGE_GAS() -> x { x := 4000 }

        // Where things are in memory. The first four words are scratch.
        // Gas that the block has left.
        function POOL() -> x { x := 0x80 }
        // The transaction that is being run.
        function TX_CHAIN() -> x { x := 0x100 }
        function TX_NONCE() -> x { x := 0x120 }
        function TX_PRIORITY() -> x { x := 0x140 }
        function TX_CAP() -> x { x := 0x160 }
        function TX_GAS() -> x { x := 0x180 }
        // Zero and TX_CREATES if there is no callee.
        function TX_TO() -> x { x := 0x1a0 }
        function TX_CREATES() -> x { x := 0x1c0 }
        function TX_VALUE() -> x { x := 0x1e0 }
        function TX_DATA() -> x { x := 0x200 }
        function TX_LENGTH() -> x { x := 0x220 }
        // Bytes of the access list.
        function TX_ACCESS() -> x { x := 0x240 }
        // Of account transactions.
        function TX_FROM() -> x { x := 0x260 }
        function TX_PAYMASTER() -> x { x := 0x280 }
        function TX_PAYMASTER_DATA() -> x { x := 0x2a0 }
        function TX_PAYMASTER_LENGTH() -> x { x := 0x2c0 }
        function TX_SIGNATURE() -> x { x := 0x2e0 }
        function TX_SIGNATURE_LENGTH() -> x { x := 0x300 }
        // Input of calls that the kernel makes for itself; nothing posted is longer than the space below the list.
        function INPUT() -> x { x := 0x400 }
        function LIST() -> x { x := 0x8000000 }

        function min(a, b) -> x {
            x := a
            if lt(b, a) { x := b }
        }

        // State cells: of accounts, and the length in words of the page with a hash, 0 if it is not known.
        function nonce_of(account) -> x { x := aload(1, account) }
        function balance_of(account) -> x { x := aload(2, account) }
        function code_of(account) -> x { x := aload(3, account) }
        function words_of(page) -> x { x := aload(6, page) }
        function set_nonce(account, x) { astore(1, account, x) }
        function set_balance(account, x) { astore(2, account, x) }
        function set_words(page, x) { astore(6, page, x) }

        // ---- the batch ------------------------------------------------------------------------------------------------

        function run_batch() {
            if iszero(eq(byte(0, calldataload(0)), VERSION())) { revert(0, 0) }
            mstore(POOL(), min(gaslimit(), MAX_GAS()))
            let size := calldatasize()
            let at := 1
            // The list that the batch's data hash is over: three words per record.
            let list := LIST()
            // Keccak chain over the priority operations; it ends with the first record that is none.
            let chain := 0
            let ordinary := 0
            for { } lt(at, size) { } {
                let head := calldataload(at)
                let body := add(at, 3)
                let length := shr(232, head)
                at := add(body, length)
                if or(iszero(length), gt(at, size)) { revert(0, 0) }
                let kind := byte(3, head)
                switch is_signed(kind)
                case 1 {
                    if lt(length, 65) { revert(0, 0) }
                    ordinary := 1
                    let end := sub(at, 64)
                    let hash := calldatakeccak(body, sub(length, 64))
                    mstore(list, hash)
                    mstore(add(list, 32), calldataload(end))
                    mstore(add(list, 64), calldataload(add(end, 32)))
                    run_signed(kind, body, end, hash)
                }
                default {
                    let hash := calldatakeccak(body, length)
                    mstore(list, hash)
                    mstore(add(list, 32), 0)
                    mstore(add(list, 64), 0)
                    switch kind
                    case 0x7e {
                        if iszero(ordinary) {
                            mstore(0, chain)
                            mstore(32, hash)
                            chain := keccak256(0, 64)
                        }
                        run_priority(body, at, ordinary)
                    }
                    case 0x4c {
                        ordinary := 1
                        run_account(body, at)
                    }
                    default {
                        ordinary := 1
                        skip(UNSUPPORTED())
                    }
                }
                list := add(list, 96)
            }
            let data_hash := keccak256(LIST(), sub(list, LIST()))
            let root := close(data_hash)
            mstore(0, data_hash)
            mstore(32, chain)
            mstore(64, root)
            return(0, 96)
        }

        // ---- signed transactions --------------------------------------------------------------------------------------

        // Legacy, EIP-2930 or EIP-1559.
        function is_signed(kind) -> yes { yes := or(gt(kind, 0xbf), or(eq(kind, 1), eq(kind, 2))) }

        function run_signed(kind, body, end, hash) {
            let form
            switch kind
            case 2 { form := decode_1559(add(body, 1), end) }
            case 1 { form := decode_2930(add(body, 1), end) }
            default { form := decode_legacy(body, end) }
            if iszero(form) {
                skip(BAD_FORM())
                leave
            }
            if iszero(eq(mload(TX_CHAIN()), chainid())) {
                skip(WRONG_CHAIN())
                leave
            }
            let sender := signer(hash, calldataload(end), calldataload(add(end, 32)))
            if iszero(sender) {
                skip(BAD_SIGNATURE())
                leave
            }
            if code_of(sender) {
                skip(SENDER_IS_CONTRACT())
                leave
            }
            let bytes_ := add(mload(TX_LENGTH()), mload(TX_ACCESS()))
            let paid := add(add(BASE_GAS(), mul(BYTE_GAS(), bytes_)), mul(CREATION_GAS(), mload(TX_CREATES())))
            let reason := check(sender, paid)
            if iszero(reason) {
                if iszero(affords(sender, mload(TX_VALUE()), most_fee())) { reason := BALANCE_LOW() }
            }
            if reason {
                skip(reason)
                leave
            }
            run(sender, sender, sub(mload(TX_GAS()), paid))
        }

        // Who signed a hash, 0 if nobody did; the parity of y is the top bit of s (EIP-2098).
        function signer(hash, r, ys) -> account {
            let s := shr(1, shl(1, ys))
            if iszero(gt(s, MAX_S())) {
                mstore(0, hash)
                mstore(32, add(27, shr(255, ys)))
                mstore(64, r)
                mstore(96, s)
                account := ecrecover(0)
            }
        }

        // Nonce, fee caps and gas limit.
        function check(sender, intrinsic_gas) -> reason {
            let nonce := mload(TX_NONCE())
            let has := nonce_of(sender)
            if iszero(eq(nonce, has)) {
                reason := NONCE_HIGH()
                if lt(nonce, has) { reason := NONCE_LOW() }
                leave
            }
            if eq(nonce, MAX_NONCE()) {
                reason := NONCE_LAST()
                leave
            }
            let cap := mload(TX_CAP())
            if gt(mload(TX_PRIORITY()), cap) {
                reason := PRIORITY_ABOVE_CAP()
                leave
            }
            if lt(cap, basefee()) {
                reason := FEE_CAP_LOW()
                leave
            }
            let limit := mload(TX_GAS())
            if lt(limit, intrinsic_gas) {
                reason := INTRINSIC_GAS()
                leave
            }
            if gt(limit, mload(POOL())) { reason := BLOCK_GAS() }
        }

        // What the gas costs at most. The limit is below 2^64 and the cap below 2^128.
        function most_fee() -> wei_ { wei_ := mul(mload(TX_GAS()), mload(TX_CAP())) }

        function affords(account, value, fee) -> yes {
            let sum := add(value, fee)
            yes := iszero(or(lt(sum, value), lt(balance_of(account), sum)))
        }

        // Wei per gas, once the fee caps are checked.
        function gas_price() -> price { price := min(mload(TX_CAP()), add(basefee(), mload(TX_PRIORITY()))) }

        // Buys the gas, runs with what the intrinsic gas has left, and settles: the payer has paid for what was used and the fee
        // recipient has it.
        function run(sender, payer, gas_) {
            let limit := mload(TX_GAS())
            let value := mload(TX_VALUE())
            let nonce := mload(TX_NONCE())
            let price := gas_price()
            set_balance(payer, sub(balance_of(payer), mul(limit, price)))
            set_nonce(sender, add(nonce, 1))
            let success, left, created
            switch mload(TX_CREATES())
            case 0 { success, left := call_(sender, mload(TX_TO()), value, gas_, price) }
            default {
                created, left := deploy(sender, nonce, value, gas_, price)
                success := iszero(iszero(created))
            }
            let used := sub(limit, left)
            set_balance(payer, add(balance_of(payer), mul(left, price)))
            let recipient := coinbase()
            set_balance(recipient, add(balance_of(recipient), mul(used, price)))
            mstore(POOL(), sub(mload(POOL()), used))
            log3(0, 0, success, used, created)
        }

        function skip(reason) { log3(0, 0, add(256, reason), 0, 0) }

        // Wei go; the sender has them.
        function move(from, to, value) {
            if value {
                set_balance(from, sub(balance_of(from), value))
                set_balance(to, add(balance_of(to), value))
            }
        }

        // The call that a transaction is. The data are in the posted bytes.
        function call_(sender, to, value, gas_, price) -> success, left {
            move(sender, to, value)
            switch code_of(to)
            case 0 {
                switch is_precompile(to)
                case 0 {
                    success := 1
                    left := gas_
                }
                default {
                    calldatacopy(INPUT(), mload(TX_DATA()), mload(TX_LENGTH()))
                    success := call(gas_, to, 0, INPUT(), mload(TX_LENGTH()), 0, 0)
                    left := gas()
                }
            }
            default {
                success := mimiccall(11, to, mload(TX_DATA()), mload(TX_LENGTH()), sender, value, 0, gas_, sender, price)
                left := gas()
            }
            if iszero(success) { move(to, sender, value) }
        }

        function is_precompile(to) -> yes { yes := or(lt(sub(to, 1), 0x11), eq(to, 0x100)) }

        // ---- contracts ------------------------------------------------------------------------------------------------

        // Makes the pages of the creation data known and runs the constructor. Data that are not well formed, a page that is not
        // known and an address that is taken take all gas. Pages stay known whatever comes of it.
        function deploy(sender, nonce, value, gas_, price) -> created, left {
            let at := mload(TX_DATA())
            let end := add(at, mload(TX_LENGTH()))
            let code_
            code_, gas_ := publish(at, end, gas_)
            let page
            if lt(add(code_, 31), end) { page := calldataload(code_) }
            if page {
                if words_of(page) {
                    let to := contract_address(sender, nonce)
                    if iszero(or(nonce_of(to), code_of(to))) {
                        set_nonce(to, 1)
                        move(sender, to, value)
                        let arguments := add(code_, 32)
                        created := mimiccall(15, to, arguments, sub(end, arguments), sender, value, page, gas_, sender, price)
                        left := gas()
                        if iszero(created) {
                            set_nonce(to, 0)
                            move(to, sender, value)
                        }
                    }
                }
            }
        }

        // Where the creation code begins behind the pages, and the gas left; beyond the end if the data are not well formed
        // or the gas does not suffice.
        function publish(at, end, gas_) -> code_, left {
            left := gas_
            let count := byte(1, calldataload(at))
            let lengths := add(at, 2)
            code_ := add(lengths, mul(2, count))
            if or(iszero(eq(byte(0, calldataload(at)), 1)), gt(code_, end)) {
                code_ := MALFORMED()
                count := 0
            }
            for { let i := 0 } lt(i, count) { i := add(i, 1) } {
                let words := shr(240, calldataload(add(lengths, mul(2, i))))
                let length := mul(8, words)
                let due := add(PAGE_GAS(), mul(PAGE_WORD_GAS(), words))
                if or(gt(add(code_, length), end), gt(due, left)) {
                    code_ := MALFORMED()
                    break
                }
                left := sub(left, due)
                let hash := pagehash(code_, length)
                if iszero(hash) {
                    code_ := MALFORMED()
                    break
                }
                if iszero(words_of(hash)) { set_words(hash, words) }
                code_ := add(code_, length)
            }
        }

        // The last 20 bytes of keccak(rlp([sender, nonce])).
        function contract_address(sender, nonce) -> to {
            // 0x94 and the sender, from byte 11 on; the list's first byte goes to byte 10.
            mstore(0, or(shl(160, 0x94), sender))
            mstore(32, 0)
            let more := 1
            switch lt(nonce, 0x80)
            case 1 {
                switch nonce
                case 0 { mstore8(32, 0x80) }
                default { mstore8(32, nonce) }
            }
            default {
                let digits := 1
                for { let rest := shr(8, nonce) } rest { rest := shr(8, rest) } { digits := add(digits, 1) }
                mstore(32, shl(sub(248, mul(8, digits)), or(shl(mul(8, digits), add(0x80, digits)), nonce)))
                more := add(1, digits)
            }
            mstore8(10, add(0xd5, more))
            to := shr(96, shl(96, keccak256(10, add(22, more))))
        }

        // ---- account transactions -------------------------------------------------------------------------------------

        // Ours: a contract may be the sender, and a paymaster may pay. Both say yes in a static call, which cannot change
        // anything, so that one that is skipped has left nothing.
        function run_account(body, end) {
            if iszero(decode_account(add(body, 1), end)) {
                skip(BAD_FORM())
                leave
            }
            if iszero(eq(mload(TX_CHAIN()), chainid())) {
                skip(WRONG_CHAIN())
                leave
            }
            let sender := mload(TX_FROM())
            let payer := sender
            let digest := typed_digest()
            let is_contract := code_of(sender)
            if iszero(is_contract) {
                if iszero(signed_by(sender, digest)) {
                    skip(BAD_SIGNATURE())
                    leave
                }
            }
            let bytes_ := add(mload(TX_LENGTH()), add(mload(TX_PAYMASTER_LENGTH()), mload(TX_SIGNATURE_LENGTH())))
            let paid := add(add(BASE_GAS(), ACCOUNT_GAS()), mul(BYTE_GAS(), bytes_))
            let reason := check(sender, paid)
            let gas_ := sub(mload(TX_GAS()), paid)
            let fee := most_fee()
            let paymaster := mload(TX_PAYMASTER())
            if paymaster {
                payer := paymaster
                // An account that is its own paymaster needs wei for both.
                if iszero(eq(payer, sender)) { fee := 0 }
            }
            if iszero(reason) {
                if iszero(affords(sender, mload(TX_VALUE()), fee)) { reason := BALANCE_LOW() }
            }
            if and(iszero(reason), iszero(iszero(paymaster))) {
                if or(iszero(code_of(paymaster)), iszero(affords(paymaster, 0, most_fee()))) { reason := PAYMASTER_REFUSED() }
            }
            let length
            if iszero(reason) {
                let ok := 1
                length := encode_call(digest)
                if is_contract { ok, gas_ := approves(0xdebea3b7, sender, length, gas_) }
                if iszero(ok) { reason := ACCOUNT_REFUSED() }
            }
            if and(iszero(reason), iszero(iszero(paymaster))) {
                let ok
                ok, gas_ := approves(0xcfb24051, paymaster, length, gas_)
                if iszero(ok) { reason := PAYMASTER_REFUSED() }
            }
            if reason {
                // Nobody pays for what a refusal has used, but the block has it no longer.
                let used := 0
                if length { used := sub(sub(mload(TX_GAS()), paid), gas_) }
                mstore(POOL(), sub(mload(POOL()), used))
                log3(0, 0, add(256, reason), used, 0)
                leave
            }
            run(sender, payer, gas_)
        }

        // True if `who`, asked with this selector, hands back the selector alone in one word; and the gas left.
        function approves(selector, who, length, gas_) -> ok, left {
            let magic := shl(224, selector)
            mstore(INPUT(), or(magic, shr(32, shl(32, mload(INPUT())))))
            let sender := mload(TX_FROM())
            let given := min(gas_, VALIDATION_GAS())
            // Static and metered.
            ok := mimiccall(40, who, INPUT(), length, KERNEL(), 0, 0, given, sender, gas_price())
            left := add(sub(gas_, given), gas())
            if ok {
                ok := 0
                if eq(returndatasize(), 32) {
                    returndatacopy(0, 0, 32)
                    ok := eq(mload(0), magic)
                }
            }
        }

        // A signature of 65 bytes, r, s, v.
        function signed_by(account, digest) -> yes {
            if eq(mload(TX_SIGNATURE_LENGTH()), 65) {
                let at := mload(TX_SIGNATURE())
                let v := byte(0, calldataload(add(at, 64)))
                let s := calldataload(add(at, 32))
                if and(lt(sub(v, 27), 2), iszero(gt(s, MAX_S()))) {
                    let who := signer(digest, calldataload(at), or(s, shl(255, sub(v, 27))))
                    // Nobody is not the account zero.
                    if who { yes := eq(who, account) }
                }
            }
        }

        // EIP-712.
        function typed_digest() -> digest {
            let at := INPUT()
            // EIP712Domain(string name,string version,uint256 chainId), "Lathe", "1"
            mstore(at, 0xc2f8787176b8ac6bf7215b4adcc1e069bf4ab82d9ab1df05a57a91d425935b6e)
            mstore(add(at, 0x20), 0xd74f44757432a8561808d17cc49fa204125dbde3443089214f2e22bdd201d18a)
            mstore(add(at, 0x40), 0xc89efdaa54c0f20c7adf612882df0950f5a951637e0307cdcb4c672f298b8bc6)
            mstore(add(at, 0x60), chainid())
            let domain := keccak256(at, 0x80)
            // Transaction(uint256 nonce,uint256 maxPriorityFeePerGas,uint256 maxFeePerGas,uint256 gasLimit,address from,address to,
            // uint256 value,bytes data,address paymaster,bytes paymasterInput)
            mstore(at, 0x498fa01ebc6280ab5b683527d45ef33013dcee19e57457ba33038b06df7f6c61)
            mstore(add(at, 0x20), mload(TX_NONCE()))
            mstore(add(at, 0x40), mload(TX_PRIORITY()))
            mstore(add(at, 0x60), mload(TX_CAP()))
            mstore(add(at, 0x80), mload(TX_GAS()))
            mstore(add(at, 0xa0), mload(TX_FROM()))
            mstore(add(at, 0xc0), mload(TX_TO()))
            mstore(add(at, 0xe0), mload(TX_VALUE()))
            mstore(add(at, 0x100), calldatakeccak(mload(TX_DATA()), mload(TX_LENGTH())))
            mstore(add(at, 0x120), mload(TX_PAYMASTER()))
            mstore(add(at, 0x140), calldatakeccak(mload(TX_PAYMASTER_DATA()), mload(TX_PAYMASTER_LENGTH())))
            let transaction := keccak256(at, 0x160)
            mstore(at, shl(240, 0x1901))
            mstore(add(at, 2), domain)
            mstore(add(at, 34), transaction)
            digest := keccak256(at, 66)
        }

        // The input of validateTransaction and validatePayment: (bytes32 digest, Transaction transaction, bytes signature) behind
        // four bytes for the selector.
        function encode_call(digest) -> length {
            let at := add(INPUT(), 4)
            let tuple := add(at, 0x60)
            mstore(at, digest)
            mstore(add(at, 0x20), 0x60)
            mstore(tuple, mload(TX_NONCE()))
            mstore(add(tuple, 0x20), mload(TX_PRIORITY()))
            mstore(add(tuple, 0x40), mload(TX_CAP()))
            mstore(add(tuple, 0x60), mload(TX_GAS()))
            mstore(add(tuple, 0x80), mload(TX_FROM()))
            mstore(add(tuple, 0xa0), mload(TX_TO()))
            mstore(add(tuple, 0xc0), mload(TX_VALUE()))
            mstore(add(tuple, 0x100), mload(TX_PAYMASTER()))
            let tail := add(tuple, 0x140)
            mstore(add(tuple, 0xe0), sub(tail, tuple))
            tail := encode_bytes(tail, mload(TX_DATA()), mload(TX_LENGTH()))
            mstore(add(tuple, 0x120), sub(tail, tuple))
            tail := encode_bytes(tail, mload(TX_PAYMASTER_DATA()), mload(TX_PAYMASTER_LENGTH()))
            mstore(add(at, 0x40), sub(tail, at))
            tail := encode_bytes(tail, mload(TX_SIGNATURE()), mload(TX_SIGNATURE_LENGTH()))
            length := sub(tail, INPUT())
        }

        // Length, posted bytes, zeros up to a whole word.
        function encode_bytes(to, from, length) -> next {
            mstore(to, length)
            let data := add(to, 32)
            let whole := and(add(length, 31), not(31))
            next := add(data, whole)
            if whole { mstore(sub(next, 32), 0) }
            calldatacopy(data, from, length)
        }

        // ---- operations from L1 ---------------------------------------------------------------------------------------

        // Nobody signs and nobody pays for them here; L1 has taken care of both. What is minted reaches `from`, or, if the call
        // fails, the refund recipient.
        function run_priority(body, end, late) {
            let at := list_(add(body, 1), end)
            let id, from, minted, value, limit, refund
            id, at := integer(at)
            from, at := account_(at)
            at := callee(at)
            minted, at := integer(at)
            value, at := integer(at)
            limit, at := integer(at)
            refund, at := account_(at)
            at := data_(at)
            let small := and(and(lt(id, MALFORMED()), lt(limit, MALFORMED())), lt(minted, MAX_WEI()))
            if iszero(and(and(eq(at, end), small), iszero(mload(TX_CREATES())))) {
                skip(BAD_FORM())
                leave
            }
            if late {
                skip(PRIORITY_LATE())
                leave
            }
            let gas_ := min(limit, MAX_GAS())
            let left := gas_
            let success
            let has := add(balance_of(from), minted)
            if iszero(lt(has, value)) {
                set_balance(from, has)
                success, left := call_(from, mload(TX_TO()), value, gas_, 0)
                if iszero(success) { set_balance(from, sub(balance_of(from), minted)) }
            }
            if iszero(success) { set_balance(refund, add(balance_of(refund), minted)) }
            let used := sub(gas_, left)
            let pool := mload(POOL())
            mstore(POOL(), sub(pool, min(pool, used)))
            log3(0, 0, success, used, 0)
        }

        // ---- the end of the batch -------------------------------------------------------------------------------------

        // Tells the system contracts, where there are any; the root of the messages to L1.
        function close(data_hash) -> root {
            if code_of(BLOCK_CONTEXT()) {
                // closeBatch(bytes32)
                mstore(0, shl(224, 0xc78ff508))
                mstore(4, data_hash)
                if iszero(mimiccall(8, BLOCK_CONTEXT(), 0, 36, KERNEL(), 0, 0, MAX_GAS(), KERNEL(), 0)) { revert(0, 0) }
            }
            if code_of(MESSENGER()) {
                // closeBatch()
                mstore(0, shl(224, 0x1f96c1a8))
                if iszero(mimiccall(8, MESSENGER(), 0, 4, KERNEL(), 0, 0, MAX_GAS(), KERNEL(), 0)) { revert(0, 0) }
                returndatacopy(0, 0, 32)
                root := mload(0)
            }
        }

        // ---- forms of transactions ------------------------------------------------------------------------------------
        //
        // Each reads the fields from `at` on and says whether they are well formed and end exactly at `end`. Positions only grow,
        // so that all fields lie within the record if the last does.

        // [chainId, nonce, maxPriorityFeePerGas, maxFeePerGas, gasLimit, to, value, data, accessList]
        function decode_1559(at, end) -> ok {
            let chain, nonce, priority, cap
            at := list_(at, end)
            chain, at := integer(at)
            nonce, at := integer(at)
            priority, at := integer(at)
            cap, at := integer(at)
            at := decode_call(at, end, 1)
            ok := and(eq(at, end), keep(chain, nonce, priority, cap))
        }

        // [chainId, nonce, gasPrice, gasLimit, to, value, data, accessList]
        function decode_2930(at, end) -> ok {
            let chain, nonce, cap
            at := list_(at, end)
            chain, at := integer(at)
            nonce, at := integer(at)
            cap, at := integer(at)
            at := decode_call(at, end, 1)
            ok := and(eq(at, end), keep(chain, nonce, cap, cap))
        }

        // [nonce, gasPrice, gasLimit, to, value, data, chainId, 0, 0] (EIP-155)
        function decode_legacy(at, end) -> ok {
            let chain, nonce, cap, zero, none
            at := list_(at, end)
            nonce, at := integer(at)
            cap, at := integer(at)
            at := decode_call(at, end, 0)
            chain, at := integer(at)
            zero, at := integer(at)
            none, at := integer(at)
            ok := and(and(eq(at, end), iszero(or(zero, none))), keep(chain, nonce, cap, cap))
        }

        // [chainId, nonce, maxPriorityFeePerGas, maxFeePerGas, gasLimit, from, to, value, data, paymaster, paymasterInput], and
        // the signature behind it.
        function decode_account(at, end) -> ok {
            let first, next := span(at)
            let chain, nonce, priority, cap, limit, from, value
            chain, first := integer(first)
            nonce, first := integer(first)
            priority, first := integer(first)
            cap, first := integer(first)
            limit, first := integer(first)
            from, first := account_(first)
            first := callee(first)
            value, first := integer(first)
            first := data_(first)
            let data, length
            let paymaster
            switch byte(0, calldataload(first))
            case 0x80 { first := add(first, 1) }
            default {
                paymaster, first := account_(first)
                // No paymaster has one form only.
                if iszero(paymaster) { first := MALFORMED() }
            }
            data, length, first := string_(first)
            mstore(TX_GAS(), limit)
            mstore(TX_FROM(), from)
            mstore(TX_VALUE(), value)
            mstore(TX_ACCESS(), 0)
            mstore(TX_PAYMASTER(), paymaster)
            mstore(TX_PAYMASTER_DATA(), data)
            mstore(TX_PAYMASTER_LENGTH(), length)
            mstore(TX_SIGNATURE(), next)
            mstore(TX_SIGNATURE_LENGTH(), sub(end, next))
            let inside := and(eq(first, next), iszero(gt(next, end)))
            ok := and(and(inside, and(lt(limit, MALFORMED()), iszero(mload(TX_CREATES())))), keep(chain, nonce, priority, cap))
        }

        // gasLimit, to, value, data, and the access list if there is one.
        function decode_call(at, end, lists) -> next {
            let limit, value, access
            limit, at := integer(at)
            at := callee(at)
            value, at := integer(at)
            next := data_(at)
            if lists { access, next := access_list(next, end) }
            // 64 bits.
            if iszero(lt(limit, MALFORMED())) { next := MALFORMED() }
            mstore(TX_GAS(), limit)
            mstore(TX_VALUE(), value)
            mstore(TX_ACCESS(), access)
        }

        // Notes what all have in common; false if a number is too large.
        function keep(chain, nonce, priority, cap) -> ok {
            mstore(TX_CHAIN(), chain)
            mstore(TX_NONCE(), nonce)
            mstore(TX_PRIORITY(), priority)
            mstore(TX_CAP(), cap)
            ok := and(and(lt(chain, MALFORMED()), lt(nonce, MALFORMED())), and(lt(priority, MAX_WEI()), lt(cap, MAX_WEI())))
        }

        // An address, or nothing.
        function callee(at) -> next {
            let to := 0
            switch byte(0, calldataload(at))
            case 0x80 { next := add(at, 1) mstore(TX_CREATES(), 1) }
            default { to, next := account_(at) mstore(TX_CREATES(), 0) }
            mstore(TX_TO(), to)
        }

        function data_(at) -> next {
            let offset, length
            offset, length, next := string_(at)
            mstore(TX_DATA(), offset)
            mstore(TX_LENGTH(), length)
        }

        // ---- RLP, strict ----------------------------------------------------------------------------------------------
        //
        // Each reads one item at `at` and answers where the next begins, MALFORMED or beyond if it is not in its only
        // canonical form.

        // An integer without leading zeros, at most 32 bytes.
        function integer(at) -> value, next {
            let prefix := byte(0, calldataload(at))
            switch lt(prefix, 0x80)
            case 1 {
                value := prefix
                next := add(at, 1)
                if iszero(prefix) { next := MALFORMED() }
            }
            default {
                let size := sub(prefix, 0x80)
                let bits := shl(3, size)
                value := shr(sub(256, bits), calldataload(add(at, 1)))
                next := add(add(at, 1), size)
                // The least that needs so many bytes; a single byte below 0x80 stands for itself.
                let least := shl(sub(bits, 8), 1)
                if eq(size, 1) { least := 0x80 }
                if or(lt(value, least), gt(size, 32)) { next := MALFORMED() }
            }
        }

        // 20 bytes.
        function account_(at) -> account, next {
            let word := calldataload(at)
            account := shr(96, shl(8, word))
            next := add(at, 21)
            if iszero(eq(byte(0, word), 0x94)) { next := MALFORMED() }
        }

        // Bytes.
        function string_(at) -> offset, length, next {
            let word := calldataload(at)
            let prefix := byte(0, word)
            switch lt(prefix, 0xb8)
            case 1 {
                switch lt(prefix, 0x80)
                case 1 {
                    offset := at
                    length := 1
                }
                default {
                    offset := add(at, 1)
                    length := sub(prefix, 0x80)
                    if eq(length, 1) { if lt(byte(1, word), 0x80) { offset := MALFORMED() } }
                }
            }
            default {
                offset, length := long(at, sub(prefix, 0xb7))
                if gt(prefix, 0xbf) { offset := MALFORMED() }
            }
            next := add(offset, length)
        }

        // A list: where its items begin and end.
        function span(at) -> first, next {
            let prefix := byte(0, calldataload(at))
            let length
            switch lt(prefix, 0xf8)
            case 1 {
                first := add(at, 1)
                length := sub(prefix, 0xc0)
                if lt(prefix, 0xc0) { length := MALFORMED() }
            }
            default { first, length := long(at, sub(prefix, 0xf7)) }
            next := add(first, length)
        }

        // A list that ends at `end`: where its items begin.
        function list_(at, end) -> first {
            let next
            first, next := span(at)
            if iszero(eq(next, end)) { first := MALFORMED() }
        }

        // A length of `size` bytes behind the prefix: more than 55, no leading zero.
        function long(at, size) -> offset, length {
            let word := shl(8, calldataload(at))
            length := shr(sub(256, shl(3, size)), word)
            offset := add(add(at, 1), size)
            if or(or(lt(length, 56), iszero(byte(0, word))), gt(size, 4)) {
                // A sum with any length could come back.
                length := 0
                offset := MALFORMED()
            }
        }

        // [[address, [key, ...]], ...] before `end`: bytes of the items.
        function access_list(at, end) -> length, next {
            let first
            first, next := span(at)
            length := sub(next, first)
            if gt(next, end) {
                next := MALFORMED()
                leave
            }
            for { } lt(first, next) { } {
                let entry, entry_end := span(first)
                let account, keys := account_(entry)
                let key, keys_end := span(keys)
                // Each key has 33 bytes.
                let whole := and(eq(keys_end, entry_end), iszero(mod(sub(keys_end, key), 33)))
                if or(iszero(whole), gt(keys_end, next)) {
                    next := MALFORMED()
                    leave
                }
                for { } lt(key, keys_end) { key := add(key, 33) } {
                    if iszero(eq(byte(0, calldataload(key)), 0xa0)) {
                        next := MALFORMED()
                        leave
                    }
                }
                first := keys_end
            }
            if iszero(eq(first, next)) { next := MALFORMED() }
        }
    }
}
