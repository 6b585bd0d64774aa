//! Claims about the precompiled contracts: published vectors, the edges of their inputs, and what a contract gets that
//! calls one. `compiler/oracle/tests/precompiles.rs` compares them with revm's on drawn inputs.
use lathe_vm::asm::assemble;
use lathe_vm::batch::Record;
use lathe_vm::code::CodeStore;
use lathe_vm::fixtures;
use lathe_vm::isa::{Instruction, op};
use lathe_vm::machine::{Halt, Limits};
use lathe_vm::precompile::{ALL, Failed, Unsupported, find};
use lathe_vm::programs;
use lathe_vm::replay::replay_with_receipts;
use lathe_vm::sandbox::{Answer, Message, Sandbox, Status, Stopped};
use lathe_vm::state::{CellId, Tree};
use lathe_vm::trace::{BatchTrace, Effect, Executed, space};
use lathe_vm::trace_check::check;
use lathe_vm::word::Word;

fn address(number: u16) -> [u8; 20] {
    let mut out = [0; 20];
    out[18..].copy_from_slice(&number.to_be_bytes());
    out
}

fn run(number: u16, input: &[u8]) -> Result<Vec<u8>, Failed> {
    find(address(number)).unwrap().run(input)
}

/// Bytes from hex with spaces; `*n` repeats the byte before it to n in all.
fn hex(text: &str) -> Vec<u8> {
    let mut out = Vec::new();
    for part in text.split_whitespace() {
        match part.split_once('*') {
            Some((byte, n)) => {
                let byte = hex::decode(byte).unwrap()[0];
                out.extend(std::iter::repeat_n(byte, n.parse::<usize>().unwrap()));
            }
            None => out.extend(hex::decode(part).unwrap()),
        }
    }
    out
}

fn gives(number: u16, vectors: &[(&str, &str)]) {
    for (input, output) in vectors {
        assert_eq!(run(number, &hex(input)), Ok(hex(output)), "{number:#x} of {input}");
    }
}

/// A word with this last byte.
const fn small(n: u8) -> [u8; 32] {
    let mut out = [0; 32];
    out[31] = n;
    out
}

const K1_ORDER: &str = "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141";
const K1_X: &str = "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798";
const R1_ORDER: &str = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
const R1_PRIME: &str = "ffffffff00000001000000000000000000000000ffffffffffffffffffffffff";
const R1_X: &str = "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296";
const BN_PRIME: &str = "30644e72e131a029b85045b68181585d97816a916871ca8d3c208c16d87cfd47";
const BN_ORDER: &str = "30644e72e131a029b85045b68181585d2833e84879b9709143e1f593f0000001";

const DIGEST: &str = "18c547e4f7b0f325ad1e56f57e26c745b09a3e503d86e00e5255ff7f715d3d1c";
const R: &str = "73b1693892219d736caba55bdb67216e485557ea6b6af75f37096c9aa6a5a75f";
const S: &str = "eeb940b1d03b21e36b0e47e79769f095fe2ab855bd91e3a38756b7d75a9c4549";
const SIGNER: &str = "00*12 a94f5374fce5edbc8e2a8697c15331677e6ebf0b";

#[test]
fn ecrecover_finds_the_signer() {
    let signed = format!("{DIGEST} 00*31 1c {R} {S}");
    gives(
        1,
        &[
            (&signed, SIGNER),
            (&format!("{signed} ff*40"), SIGNER),
            (
                "456e9aea5e197a1f1af7a3e85a3212fa4049a3ba34c2289b4c860fc0b0c64ef3 00*31 1c
                 9242685bf161793cc25603c231bc2f568eb630ea16aa137d2664ac8038825608
                 4f8ae3bd7535248d0bd448298cc2e2071e56992d0774dc340c368ae950852ada",
                "00*12 7156526fbd7a3c72969b54f64e42c10fbb768c8a",
            ),
        ],
    );
    // The other parity is another key. A digest counts modulo the order.
    assert_ne!(run(1, &hex(&format!("{DIGEST} 00*31 1b {R} {S}"))), Ok(hex(SIGNER)));
    let of = |digest: &str| run(1, &hex(&format!("{digest} 00*31 1c {R} {S}"))).unwrap();
    assert_eq!(of("ff*32"), of("00*15 014551231950b75fc4402da1732fc9bebe"));
    assert_eq!((of("ff*32").len(), of(K1_ORDER)), (32, of("00*32")));
}

#[test]
fn ecrecover_answers_nothing_for_what_is_no_signature() {
    let with = |v: &str, r: &str, s: &str| format!("{DIGEST} {v} {r} {s}");
    let cases = [
        with("00*32", R, S),
        with("00*31 1a", R, S),
        with("00*31 1d", R, S),
        with("00*31 01", R, S),
        with("01 00*30 1c", R, S),
        with("00*30 01 1c", R, S),
        with("00*31 1c", "00*32", S),
        with("00*31 1c", R, "00*32"),
        with("00*31 1c", K1_ORDER, S),
        with("00*31 1c", R, K1_ORDER),
        with("00*31 1c", "ff*32", S),
        // No point has x = 5.
        with("00*31 1c", "00*31 05", S),
        // With s = z and the nonce point G the key would be infinity.
        format!("00*31 07 00*31 1b {K1_X} 00*31 07"),
        // Cut off: s is zero.
        format!("{DIGEST} 00*31 1c {R}"),
        String::new(),
    ];
    for input in cases {
        assert_eq!(run(1, &hex(&input)), Ok(vec![]), "{input}");
    }
    assert_eq!(run(1, &hex(&format!("00*31 07 00*31 1c {K1_X} 00*31 07"))).unwrap().len(), 32);
}

#[test]
fn hashes_are_those_of_their_standards() {
    let long = "6162636462636465636465666465666765666768666768696768696a68696a6b696a6b6c6a6b6c6d6b6c6d6e6c6d6e6f6d6e6f706e6f7071";
    gives(
        2,
        &[
            ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            ("616263", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            (long, "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"),
            ("61*1000000", "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"),
        ],
    );
    gives(
        3,
        &[
            ("", "00*12 9c1185a5c5e9fc54612808977ee8f548b2258d31"),
            ("61", "00*12 0bdc9d2d256b3ee9daae347be6f4dc835a467ffe"),
            ("616263", "00*12 8eb208f7e05d987a9b044a8e98c6b087f15a0bfc"),
            ("6d65737361676520646967657374", "00*12 5d0689ef49d2fae572b881b123a85ffa21595f36"),
            (long, "00*12 12a053384a9c0c88e405a06c27dcf49ada62eb2b"),
            ("61*1000000", "00*12 52783243c1697bdbe16d37f97f68f08325dc1528"),
        ],
    );
}

#[test]
fn identity_hands_back_its_input() {
    gives(4, &[("", ""), ("01", "01"), ("ab*100", "ab*100")]);
}

#[test]
fn modexp_is_that_of_eip_198() {
    let p = "ff*27 fefffffc2f";
    let power = "3b01b01ac41f2d6e917c6d6a221ce793802469026d9ab7578fa2e79e4da6aaab";
    gives(
        5,
        &[
            (&format!("00*31 01 00*31 20 00*31 20 03 ff*27 fefffffc2e {p}"), "00*31 01"),
            (&format!("00*32 00*31 20 00*31 20 ff*27 fefffffc2e {p}"), "00*32"),
            ("00*31 01 00*31 02 00*31 20 03 ffff 80 00*31 07", power),
            // Truncated: the modulus goes on with zeros.
            ("00*31 01 00*31 02 00*31 20 03 ffff 80", power),
            // A modulus of one, of zero, of no bytes; an exponent of zero, also of zero; nothing at all.
            ("00*31 01 00*31 01 00*31 02 05 03 0001", "0000"),
            ("00*31 01 00*31 01 00*31 03 05 03 000000", "000000"),
            ("00*31 01 00*31 01 00*32 05 03", ""),
            ("00*31 01 00*31 01 00*31 01 05 00 07", "01"),
            ("00*31 01 00*31 01 00*31 01 00 00 07", "01"),
            ("00*31 01 00*31 01 00*31 01 00 00 01", "00"),
            ("00*32 00*32 00*31 01 07", "01"),
            ("00*31 01 00*31 01 00*31 01", "00"),
            ("", ""),
            // No bytes of modulus, whatever the other lengths.
            ("00*30 0400 00*30 0400 00*32 05", ""),
        ],
    );
}

#[test]
fn modexp_refuses_lengths_that_ethereum_refuses_and_names_those_that_are_not_built() {
    let lengths = |[b, e, m]: [&str; 3]| run(5, &hex(&format!("{b} {e} {m} 05")));
    let (one, huge) = ("00*31 01", ["00*30 0401", "00*29 010000", "01 00*31", "ff*32"]);
    for length in huge {
        for input in [[length, one, one], [one, length, one], [one, one, length], [length, "00*32", "00*32"]]
        {
            assert_eq!(lengths(input), Err(Failed::Input), "{input:?}");
        }
    }
    for (length, n) in [("00*31 21", 33), ("00*30 0100", 256), ("00*30 0400", 1024)] {
        for input in [[length, one, one], [one, length, one], [one, one, length]] {
            let failed = lengths(input).unwrap_err();
            assert_eq!(failed, Failed::Unsupported(Unsupported::Modexp(n)));
            assert_eq!(failed.to_string(), format!("not supported yet: modexp of {n} bytes"));
        }
    }
    let largest = "00*31 20 00*31 20 00*31 20 ff*32 ff*31 fe ff*32";
    assert_eq!(run(5, &hex(largest)), Ok(vec![0; 32]));
}

const G: &str = "00*31 01 00*31 02";
const MINUS_G: &str = "00*31 01 30644e72e131a029b85045b68181585d97816a916871ca8d3c208c16d87cfd45";
const TWO_G: &str = "030644e72e131a029b85045b68181585d97816a916871ca8d3c208c16d87cfd3
    15ed738c0e0a7c92e7845f96b2ae9c0a68a6a449e3538fc7ff3ebf7a5a18a2c4";

#[test]
fn bn254_adds_and_multiplies() {
    gives(
        6,
        &[
            (
                "18b18acfb4c2c30276db5411368e7185b311dd124691610c5d3b74034e093dc9
                 063c909c4720840cb5134cb9f59fa749755796819658d32efc0d288198f37266
                 07c2b7f58a84bd6145f00c9c2bc0bb1a187f20ff2c92963a88019e7c6a014eed
                 06614e20c147e940f2d70da3f74c9a17df361706a4485c742bd6788478fa17d7",
                "2243525c5efd4b9c3d3c45ac0ca3fe4dd85e830a4ce6b65fa1eeaee202839703
                 301d1d33be6da8e509df21cc35964723180eed7532537db9ae5e7d48f195c915",
            ),
            (&format!("{G} {G}"), TWO_G),
            (&format!("{G} {G} ff*50"), TWO_G),
            (&format!("{G} {MINUS_G}"), "00*64"),
            // Infinity on either side, on both, and by truncation.
            (&format!("{G} 00*64"), G),
            (&format!("00*64 {G}"), G),
            (G, G),
            ("00*128", "00*64"),
            ("", "00*64"),
            ("00*10", "00*64"),
        ],
    );
    gives(
        7,
        &[
            (
                "2bd3e6d0f3b142924f5ca7b49ce5b9d54c4703d7ae5648e61d02268b1a0a9fb7
                 21611ce0a6af85915e2f1d70300909ce2e49dfad4a4619c8390cae66cefdb204
                 00*24 11138ce750fa15c2",
                "070a8d6a982153cae4be29d434e8faef8a47b274a053f5a4ee2a6c9c13c31e5c
                 031b8ce914eba3a9ffb989f9cdd5b0f01943074bf4f0f315690ec3cec6981afc",
            ),
            (&format!("{G} 00*31 02"), TWO_G),
            (&format!("{G} 00*31 02 ff"), TWO_G),
            (&format!("{G} 00*32"), "00*64"),
            (&format!("{G} {BN_ORDER}"), "00*64"),
            (&format!("{G} 30644e72e131a029b85045b68181585d2833e84879b9709143e1f593f0000003"), TWO_G),
            (&format!("{G} 30644e72e131a029b85045b68181585d2833e84879b9709143e1f593f0000000"), MINUS_G),
            ("00*64 ff*32", "00*64"),
            (G, "00*64"),
            ("", "00*64"),
        ],
    );
}

#[test]
fn bn254_fails_on_what_is_no_point() {
    let points = [
        "00*31 01 00*31 01".to_string(),
        "00*31 01 00*32".to_string(),
        "00*32 00*31 01".to_string(),
        // Coordinates at and above the modulus are not reduced, not even to infinity or G.
        format!("{BN_PRIME} 00*32"),
        format!("00*32 {BN_PRIME}"),
        "30644e72e131a029b85045b68181585d97816a916871ca8d3c208c16d87cfd48 00*31 02".to_string(),
        "00*31 01 30644e72e131a029b85045b68181585d97816a916871ca8d3c208c16d87cfd49".to_string(),
        "ff*64".to_string(),
        // Cut off within y.
        "00*31 01 00*31".to_string(),
    ];
    for point in points {
        assert_eq!(run(6, &hex(&point)), Err(Failed::Input), "{point}");
        assert_eq!(run(6, &hex(&format!("{G} {point}"))), Err(Failed::Input), "{point}");
        assert_eq!(run(7, &hex(&point)), Err(Failed::Input), "{point}");
    }
    assert_eq!(run(7, &hex("00*31 01 00*31 01 00*32")), Err(Failed::Input), "times zero");
}

/// The key of RFC 6979, A.2.5.
const KEY: &str = "60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6
    7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299";
const SAMPLE: &str = "af2bdbe1aa9b6ec1e2ade1d694f41fc71a831d0268e9891562113d8a62add1bf";
const SAMPLE_R: &str = "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716";
const SAMPLE_S: &str = "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8";

#[test]
fn p256_verify_accepts_what_is_signed() {
    gives(
        0x100,
        &[
            (
                "4cee90eb86eaa050036147a12d49004b6b9c72bd725d39d4785011fe190f0b4d
                 a73bd4903f0ce3b639bbbf6e8e80d16931ff4bcf5993d58468e8fb19086e8cac
                 36dbcd03009df8c59286b162af3bd7fcc0450c9aa81be5d10d312af6c66b1d60
                 4aebd3099c618202fcfe16ae7770b0c49ab5eadf74b754204a3bb6060e44eff3
                 7618b065f9832de4ca6ca971a7a1adc826d0f7c00181a5fb2ddf79ae00b4e10e",
                "00*31 01",
            ),
            (&format!("{SAMPLE} {SAMPLE_R} {SAMPLE_S} {KEY}"), "00*31 01"),
            (
                &format!(
                    "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
                     f1abb023518351cd71d881567b1ea663ed3efcf6c5132b354f28d3b0b7d38367
                     019f4113742a2b14bd25926b49c649155f267e60d3814b4c0cc84250e46f0083 {KEY}"
                ),
                "00*31 01",
            ),
        ],
    );
    // The other half of s is as good.
    let low = "0834e36ad29a83bf2bc9385e491d6099c8fdf9d1ed67aa7ea5f51f93782857a9";
    gives(0x100, &[(&format!("{SAMPLE} {SAMPLE_R} {low} {KEY}"), "00*31 01")]);
}

#[test]
fn p256_verify_answers_nothing_for_what_is_not() {
    let good = format!("{SAMPLE} {SAMPLE_R} {SAMPLE_S} {KEY}");
    let (x, y) = KEY.split_once('\n').unwrap();
    let cases = [
        String::new(),
        format!("{good} 00"),
        format!("{SAMPLE} {SAMPLE_R} {SAMPLE_S} {x} {}", &y.trim()[..62]),
        format!("{} {SAMPLE_R} {SAMPLE_S} {KEY}", SAMPLE.replace("af2b", "af2c")),
        format!("{SAMPLE} 00*32 {SAMPLE_S} {KEY}"),
        format!("{SAMPLE} {SAMPLE_R} 00*32 {KEY}"),
        format!("{SAMPLE} {R1_ORDER} {SAMPLE_S} {KEY}"),
        format!("{SAMPLE} {SAMPLE_R} {R1_ORDER} {KEY}"),
        format!("{SAMPLE} {SAMPLE_R} {SAMPLE_S} {x} {x}"),
        format!("{SAMPLE} {SAMPLE_R} {SAMPLE_S} {R1_PRIME} {y}"),
        format!("{SAMPLE} {SAMPLE_R} {SAMPLE_S} ff*64"),
        // For the key at infinity this would be valid, and the sum of G and -G is infinity.
        format!("00*31 01 {R1_X} 00*31 01 00*64"),
        format!("{SAMPLE} {SAMPLE_R} {SAMPLE_S} 00*64"),
        "00*160".to_string(),
    ];
    for input in cases {
        assert_eq!(run(0x100, &hex(&input)), Ok(vec![]), "{input}");
    }
}

#[test]
fn what_is_not_built_is_named() {
    let refused: Vec<u16> = (8..=0x11).collect();
    for p in ALL {
        let number = u16::from_be_bytes([p.address()[18], p.address()[19]]);
        assert_eq!(p.is_supported(), !refused.contains(&number), "{}", p.name());
        if !p.is_supported() {
            let failed = p.run(&[]).unwrap_err().to_string();
            assert_eq!(failed, format!("not supported yet: precompile {number:#x}, {}", p.name()));
        }
    }
    for number in [0, 0x12, 0xff, 0x101, 0x104] {
        assert!(find(address(number)).is_none());
    }
    let mut far = address(1);
    far[0] = 1;
    assert!(find(far).is_none());
}

const ALICE: [u8; 20] = [0xa1; 20];
const CALLER: [u8; 20] = [0xc0; 20];

/// Calls a precompile with its calldata from byte 7 of the heap on, and as many wei as it got; hands back status, size of
/// the return data, and the data.
fn caller(number: u16, op: &str) -> String {
    let block = match op {
        "call" => "callvalue [23]",
        _ => "mov [23], [90]",
    };
    format!(
        "seti [10], {number}\n cdsize [21]\n seti [20], 7\n copy [20], [90], [21], 1\n {block}
         {op} [2], [10], [20]\n rdsize [3]\n st [2], [90], 0\n st [3], [90], 32\n seti [4], 64
         copy [4], [90], [3], 2\n add [5], [4], [3]\n return [90], [5]"
    )
}

/// The answer of a traced run whose trace has been checked, and the wei of caller and precompile behind it.
fn called(number: u16, op: &str, value: u8, input: &[u8]) -> Result<(Answer, [Word; 2]), Stopped> {
    let mut s = Sandbox::new();
    s.traced = true;
    s.set_balance(ALICE, Word::from(1000));
    s.install(CALLER, assemble(&caller(number, op)).unwrap());
    let value = Word::from(u128::from(value));
    let answer = s.call(&Message { from: ALICE, to: CALLER, value, data: input })?;
    Ok((answer, [s.balance(CALLER), s.balance(address(number))]))
}

#[test]
fn a_contract_gets_status_and_output_in_the_same_step() {
    let inputs: [(u16, String); 8] = [
        (1, format!("{DIGEST} 00*31 1c {R} {S}")),
        (2, "616263".into()),
        (3, "61*100".into()),
        (4, "07*77".into()),
        (5, "00*31 01 00*31 02 00*31 03 03 ffff 800001".into()),
        (6, format!("{G} {G}")),
        (7, format!("{G} 00*31 07")),
        (0x100, format!("{SAMPLE} {SAMPLE_R} {SAMPLE_S} {KEY}")),
    ];
    for (number, input) in inputs {
        let input = hex(&input);
        for data in [&input[..], &[]] {
            let output = run(number, data).unwrap();
            let want = [&small(1), &small(output.len() as u8), &output[..]].concat();
            for op in ["call", "staticcall", "delegatecall"] {
                let value = if op == "call" { 5 } else { 0 };
                let (answer, wei) = called(number, op, value, data).unwrap();
                assert_eq!((answer.status, &answer.output), (Status::Success, &want), "{op} {number:#x}");
                assert_eq!(wei, [Word::ZERO, Word::from(u128::from(value))]);
            }
        }
    }
}

#[test]
fn a_failure_hands_back_nothing_and_leaves_the_wei() {
    for (number, input) in [(5, "ff*96"), (6, "01*128"), (7, "01*96")] {
        for op in ["call", "staticcall", "delegatecall"] {
            let (answer, wei) = called(number, op, 5, &hex(input)).unwrap();
            assert_eq!((answer.status, &answer.output[..]), (Status::Success, &[0; 64][..]), "{op}");
            assert_eq!(wei, [Word::from(5), Word::ZERO]);
        }
    }
}

#[test]
fn more_wei_than_there_are_fail_before_the_precompile_is_asked() {
    for number in [2, 8] {
        let mut s = Sandbox::new();
        s.traced = true;
        let source = caller(number, "call").replace("callvalue [23]", "seti [23], 1");
        s.install(CALLER, assemble(&source).unwrap());
        let answer = s.call(&Message { from: ALICE, to: CALLER, value: Word::ZERO, data: &[1] }).unwrap();
        assert_eq!((answer.status, &answer.output[..]), (Status::Success, &[0; 64][..]));
    }
}

#[test]
fn a_call_of_what_is_not_built_stops_the_run_by_name() {
    for p in ALL.iter().filter(|p| !p.is_supported()) {
        let number = u16::from_be_bytes([p.address()[18], p.address()[19]]);
        let stopped = called(number, "staticcall", 0, &[]).unwrap_err();
        assert_eq!(stopped.halt, Halt::Unsupported(Unsupported::Precompile { number, name: p.name() }));
    }
    let stopped = called(5, "call", 0, &hex("00*31 21 00*31 01 00*31 01")).unwrap_err();
    assert!(stopped.to_string().contains("not supported yet: modexp of 33 bytes"), "{stopped}");
}

/// A batch of one call of `sha256` and one of addition that fails.
fn replayed() -> BatchTrace {
    let mut codes = CodeStore::new();
    let contracts = [([0xc1; 20], 2), ([0xc2; 20], 6)];
    let cells = contracts.map(|(address, number)| {
        let page = assemble(&caller(number, "call")).unwrap();
        (CellId::code_hash(address), codes.insert(page))
    });
    let tree = Tree::from_cells(cells).unwrap();
    let record = |nonce, to| Record { nonce, from: fixtures::sender(1), to, data: vec![1; 40] };
    let records = [record(0, contracts[0].0), record(1, contracts[1].0)];
    let limits = Limits { unproven: true, ..Limits::default() };
    let params = fixtures::params();
    replay_with_receipts(&tree, &codes, programs::kernel(), &params, &records, &limits).unwrap().trace
}

#[test]
fn a_changed_answer_is_refused() {
    check(&replayed()).unwrap();
    let refused = |what: &str, nth: usize, change: fn(&mut Executed)| {
        let mut trace = replayed();
        let calls =
            trace.steps.to_mut().iter_mut().filter(|s| Instruction::decode(s.word).opcode == op::CALL);
        match calls.map(|s| &mut s.effect).nth(nth) {
            Some(Effect::Executed(e)) => change(e),
            _ => panic!("no such call"),
        }
        assert!(check(&trace).is_err(), "{what} is accepted");
    };
    for nth in [0, 1] {
        refused("another status", nth, |e| e.accesses.last_mut().unwrap().new.lo ^= 1);
        refused("another window", nth, |e| {
            let window = e.accesses.iter_mut().find(|a| a.space == space::REG && a.index == 1);
            window.unwrap().new.lo ^= 1;
        });
        refused("an input word left out", nth, |e| {
            let first = e.accesses.iter().position(|a| a.space == space::HEAP).unwrap();
            e.accesses.remove(first);
        });
    }
    refused("another output", 0, |e| {
        let output = e.accesses.iter_mut().rfind(|a| a.space == space::HEAP);
        output.unwrap().new.lo ^= 1;
    });
}
