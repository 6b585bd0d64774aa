//! Every precompile that the machine runs against revm's of the same address (Osaka), on drawn inputs that lean towards the
//! edges: equal output, or both fail.
use lathe_oracle::draw::Draw;
use lathe_vm::precompile::{ALL, Failed, Precompile, find};
use p256::ecdsa::signature::hazmat::PrehashSigner;
use p256::ecdsa::{Signature, SigningKey};
use revm::precompile::Precompiles;
use revm::primitives::{Address, U256};

/// Gas that no call here uses up.
const GAS: u64 = 1 << 50;

fn ours(number: u16) -> Precompile {
    let mut address = [0; 20];
    address[18..].copy_from_slice(&number.to_be_bytes());
    find(address).unwrap()
}

/// The output of revm's precompile, or none if the call fails.
fn theirs(precompile: &Precompile, input: &[u8]) -> Option<Vec<u8>> {
    let theirs = Precompiles::osaka().get(&Address::from(precompile.address())).unwrap();
    let output = theirs.execute(input, GAS, 0).unwrap();
    output.status.is_success().then(|| output.bytes.to_vec())
}

/// Compares drawn inputs; how many calls gave an output, and how many failed or gave nothing.
fn compare(number: u16, rounds: usize, seed: u64, mut input: impl FnMut(&mut Draw) -> Vec<u8>) -> [usize; 2] {
    let (precompile, mut draw, mut seen) = (ours(number), Draw::new(seed), [0; 2]);
    for round in 0..rounds {
        let input = input(&mut draw);
        let ours = match precompile.run(&input) {
            Ok(output) => Some(output),
            Err(Failed::Input) => None,
            Err(Failed::Unsupported(what)) => panic!("round {round}: {what}"),
        };
        let shown = || format!("{} {}: {}", precompile.name(), round, hex(&input));
        assert_eq!(ours, theirs(&precompile, &input), "{}", shown());
        seen[usize::from(ours.is_none_or(|o| o.is_empty()))] += 1;
    }
    seen
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("{b:02x}")).collect()
}

fn number(text: &str) -> U256 {
    U256::from_str_radix(text, 16).unwrap()
}

fn noise(draw: &mut Draw) -> U256 {
    U256::from_be_slice(&draw.bytes(32))
}

/// A word that often lies at one of these bounds or at an end of the range.
fn near(draw: &mut Draw, bounds: &[U256]) -> U256 {
    let off = U256::from(draw.below(3));
    match draw.below(6) {
        0 => off,
        1 => U256::MAX - off,
        2 => draw.pick(bounds).wrapping_add(off),
        3 => draw.pick(bounds).wrapping_sub(off),
        _ => noise(draw),
    }
}

fn concat(words: &[U256]) -> Vec<u8> {
    words.iter().flat_map(|w| w.to_be_bytes::<32>()).collect()
}

/// Now and then cut off or with something behind it.
fn frayed(draw: &mut Draw, mut input: Vec<u8>) -> Vec<u8> {
    match draw.below(12) {
        0 => input.truncate(draw.below(input.len() + 1)),
        1 => {
            let more = 1 + draw.below(70);
            input.extend(draw.bytes(more));
        }
        2 if !input.is_empty() => {
            let at = draw.below(input.len());
            input[at] ^= 1 << draw.below(8);
        }
        _ => {}
    }
    input
}

const K1_ORDER: &str = "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141";
const K1_PRIME: &str = "fffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2f";
const K1_X: &str = "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798";

#[test]
fn ecrecover() {
    let bounds = [K1_ORDER, K1_PRIME, K1_X].map(number);
    let seen = compare(1, 3000, 1, |draw| {
        let v = match draw.below(12) {
            0 => near(draw, &[U256::from(27)]),
            1 => U256::from(27) | U256::from(1) << (8 * (1 + draw.below(31))),
            n => U256::from(27 + n % 2),
        };
        let [mut digest, r, s] = [0; 3].map(|_| match draw.below(3) {
            0 => near(draw, &bounds),
            _ => noise(draw),
        });
        // With the nonce point G or -G, where one of the two keys is infinity.
        let r = if draw.once_in(8) { bounds[2] } else { r };
        if draw.once_in(4) {
            digest = s;
        }
        let input = concat(&[digest, v, r, s]);
        frayed(draw, input)
    });
    assert!(seen[0] > 500 && seen[1] > 500, "{seen:?}");
}

#[test]
fn hashes_and_identity() {
    for number in [2, 3, 4] {
        compare(number, 400, u64::from(number), |draw| {
            let length = if draw.once_in(8) { draw.below(5000) } else { draw.below(200) };
            draw.bytes(length)
        });
    }
}

#[test]
fn modexp() {
    let seen = compare(5, 3000, 5, |draw| {
        let mut lengths = [0; 3].map(|_| match draw.below(4) {
            0 => draw.below(3),
            1 => 31 + draw.below(2),
            _ => draw.below(33),
        });
        if draw.once_in(8) {
            lengths[2] = 0;
        }
        let mut input = concat(&lengths.map(U256::from));
        for length in lengths {
            let mut operand = match draw.below(4) {
                0 => vec![0; length],
                1 => vec![0xff; length],
                _ => draw.bytes(length),
            };
            if let Some(last) = operand.last_mut().filter(|_| draw.once_in(3)) {
                *last = draw.below(3) as u8;
            }
            input.extend(operand);
        }
        frayed_length(draw, &mut input);
        match draw.below(4) {
            0 => input.truncate(draw.below(input.len() + 1)),
            1 => input.extend(draw.bytes(9)),
            _ => {}
        }
        input
    });
    assert!(seen[0] > 1000 && seen[1] > 300, "{seen:?}");
}

/// Now and then a length header that Ethereum refuses.
fn frayed_length(draw: &mut Draw, input: &mut [u8]) {
    if draw.once_in(10) {
        let huge = match draw.below(3) {
            0 => U256::from(1025 + draw.below(2)),
            1 => U256::MAX,
            _ => U256::from(1) << (11 + draw.below(245)),
        };
        let at = 32 * draw.below(3);
        input[at..at + 32].copy_from_slice(&huge.to_be_bytes::<32>());
    }
}

const BN_PRIME: &str = "30644e72e131a029b85045b68181585d97816a916871ca8d3c208c16d87cfd47";
const BN_ORDER: &str = "30644e72e131a029b85045b68181585d2833e84879b9709143e1f593f0000001";

/// A drawn point, its negative, infinity, or something near a point.
fn point(draw: &mut Draw, other: Option<&[u8]>) -> Vec<u8> {
    let p = number(BN_PRIME);
    let scalar = noise(draw);
    let product = concat(&[U256::from(1), U256::from(2), scalar]);
    let point = theirs(&ours(7), &product).unwrap();
    let [x, y] = [0, 32].map(|at| U256::from_be_slice(&point[at..at + 32]));
    match (draw.below(12), other) {
        (0, _) => vec![0; 64],
        (1, _) => concat(&[near(draw, &[p]), near(draw, &[p])]),
        (2, _) => concat(&[x + p, y]),
        (3, _) => concat(&[x, y + p]),
        (4, _) => concat(&[y, x]),
        (5, Some(other)) => other.to_vec(),
        (6, Some(other)) => {
            let [x, y] = [0, 32].map(|at| U256::from_be_slice(&other[at..at + 32]));
            concat(&[x, p.wrapping_sub(y)])
        }
        _ => point,
    }
}

#[test]
fn bn254() {
    let seen = compare(6, 1500, 6, |draw| {
        let a = point(draw, None);
        let b = point(draw, Some(&a));
        let input = [a, b].concat();
        frayed(draw, input)
    });
    assert!(seen[0] > 500 && seen[1] > 200, "{seen:?}");
    let seen = compare(7, 1500, 7, |draw| {
        let scalar = near(draw, &[number(BN_ORDER), number(BN_PRIME)]);
        let input = [point(draw, None), concat(&[scalar])].concat();
        frayed(draw, input)
    });
    assert!(seen[0] > 500 && seen[1] > 200, "{seen:?}");
}

const R1_ORDER: &str = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
const R1_PRIME: &str = "ffffffff00000001000000000000000000000000ffffffffffffffffffffffff";
const R1_X: &str = "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296";

#[test]
fn p256_verify() {
    let bounds = [R1_ORDER, R1_PRIME, R1_X].map(number);
    let seen = compare(0x100, 1500, 256, |draw| {
        let key = SigningKey::from_slice(&draw.bytes(32)).unwrap();
        let digest = near(draw, &bounds);
        let signature: Signature = key.sign_prehash(&digest.to_be_bytes::<32>()).unwrap();
        let public = key.verifying_key().to_encoded_point(false);
        let signed = [&signature.to_bytes()[..], &public.as_bytes()[1..]].concat();
        let mut words = vec![digest];
        words.extend(signed.chunks_exact(32).map(U256::from_be_slice));
        match draw.below(6) {
            // The other half of s.
            0 => words[2] = bounds[0] - words[2],
            // One word of them at an edge.
            1 => words[1 + draw.below(4)] = near(draw, &bounds),
            // The key at infinity, for which this would be valid.
            2 if draw.once_in(2) => words = [1, 0, 1, 0, 0].map(U256::from).to_vec(),
            _ => {}
        }
        if words[3..] == [U256::ZERO; 2] {
            words[1] = bounds[2];
        }
        let input = concat(&words);
        frayed(draw, input)
    });
    assert!(seen[0] > 500 && seen[1] > 200, "{seen:?}");
}

#[test]
fn addresses_are_those_of_ethereum() {
    let mut ours: Vec<Address> = ALL.iter().map(|p| p.address().into()).collect();
    let mut theirs: Vec<Address> = Precompiles::osaka().addresses().copied().collect();
    ours.sort();
    theirs.sort();
    assert_eq!(ours, theirs);
}
