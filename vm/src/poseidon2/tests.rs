//! Published vectors: `poseidon/testdata/poseidon2_t2_kat.json` of github.com/luxfi/crypto (commit b8c1a315),
//! which that project generated with gnark-crypto v0.20.1, `poseidon2.NewParameters(2, 6, 50)`.

use ff::{Field, PrimeField};

use super::*;

fn fr(hex_be: &str) -> Fr {
    let mut bytes: [u8; 32] = hex::decode(hex_be).unwrap().try_into().unwrap();
    bytes.reverse();
    Fr::from_repr(bytes.into()).unwrap()
}

/// Input elements and output elements of the permutation.
#[rustfmt::skip]
const PERMUTATIONS: [([u64; 2], [&str; 2]); 16] = [
    ([0, 1], ["1cea81d812c4552760b21d75d1fd4c11e43e3f60c67632e7e38f656236378e5d", "1ae0efd28c01163c0a58440757ef2339affb17836ad3b1fedacabeaab56ca0e1"]),
    ([1, 2], ["02a5b5b81eaff3dfb6aa63c3f18e0e57dfa598062a78514dfa530a9f8d106bf3", "02e7529d93e1a7ae526147c2ee72588aee90e6a7c3e361de6daa6be045c6f52e"]),
    ([2, 3], ["13226d79a9e1271e046225bbe8ce92c75ce4f83bc31b0013a1501600029af45d", "1541d618b754eaf4234ce26d55097bdea7d0acb4f4671d6f876926d209f1e80f"]),
    ([0xdead_beef, 4], ["27acefaea0a4f4742554606d56aa2b3d6e5616aec8a671aba7313b7ea7734736", "20f574651ddcc3790861ff2bb09ae28f0c5359c3805e3639fa8e514a423c16c4"]),
    ([0xfeed, 5], ["0f641b6f5c3a6726299bf0db8655dcf25d5a934190b27e4be8a9e1016955895a", "0d2e45dc1965a1d1e7c97017918541b7b91b61dd0bed30e03f0e4995a9f75d39"]),
    ([0x1234, 6], ["028fc2906011f997ea81c8f655d773b19555a700e732cf53753f97694a82e4f0", "042295ce2d7a92fa4a0b2d87b49c39e2aaef107f8746a485f97846b6baca739a"]),
    ([0xcafe, 7], ["1f969f7ef80e51ff8c8f284a65c3a8f5e81bfe64ba99f5bcfd3a86f7dbb1d00b", "2f0a6de29fabf988517c76b721020b9b465b9a24916306a4fc8cab617da31eb8"]),
    ([0x42, 8], ["165de551757a713d12a853897756502e440d7e92e6cd2161b64d8b6dccc2dd55", "159edb2df4544e015f03890dc19cd67af6238f6dc2a3e19d8faac37de884a728"]),
    ([0xa1b2_c3d4, 9], ["28854f086ff2e03b014600460eaf9009e77ec173ca3f55f0b0c91d4c681aaa1a", "031c9d13f62e493bab104aaf354089613130c8100b5aa37ddca27830753f9e5a"]),
    ([0x5678, 10], ["13bec8a9d89332bab9552ff2db7ac16982ca54cfe6b96a93f5ed202131c9c46c", "2bcb5be6d76aad3f4299505f96ba054f1548a189e89d63c245fef9929401e7d5"]),
    ([0x90, 11], ["02e22d03baa73a766a8bddf76d85014b14e27678423fbab23bbd4932efeb7f9a", "05a18680dbf6e94a2b8835c28337bce82a061bc3315faeff6f7eedebf1ce0b28"]),
    ([0xbeef, 12], ["1eb6b04cbebe47e7b4fc144fea2588d1a9783794741cca6877532450944e2af3", "0df5eb3e371710a3abbbc6b0e0add5f8808e7be7f1d76e6cc3ed83e36bde6ca8"]),
    ([1, 13], ["1b702b88a5d184651bbc48b59581fda1b43b0cd8b04d13a04bbb8fdfa0b16e76", "2e5c2541d17e45491d26e4ea4d64c25a55f033bfbcf4a96d6feb1e526e400364"]),
    ([0xff, 14], ["06e8b25b1ea391c45e5546935e0745f0da950425571394f5e69a5bc77013f631", "0f8f7b79c86708640ab6aae63f75004ca6d09130136b3886a7156e2d75140dd5"]),
    ([0xf00, 15], ["02ca18519d43e2cafc2668840dfcd9b44102cee2f23aa9632a0e85f36fbb6692", "305bb668974518207b4b6a37ca19c7e14ba09d2428fad64d76eaf4ce648d33c7"]),
    ([0xface, 16], ["2d9943e264be0513e3e5b51e10bb86f80a1f67404921c0ca97d64267ef94417c", "1361eb6f5ac9f441c388c17c83187e0a32bcb7831d569974845702ed2361577e"]),
];

#[test]
fn permutation_equals_the_published_vectors() {
    for ([a, b], [x, y]) in PERMUTATIONS {
        assert_eq!(permute([Fr::from(a), Fr::from(b)]), [fr(x), fr(y)], "input ({a}, {b})");
    }
}

#[test]
fn round_keys_equal_the_published_ones_at_every_seam() {
    let keys = round_keys();
    assert_eq!(keys.first[0][0], fr("1da4d6adfb0d0b494584f763db50a81908580a5f5e295e168b9b8d31770fac4f"));
    assert_eq!(keys.first[2][1], fr("0911096c45dd9cda0d61d783957003db6d8701c7869a919ad8042e1b7d597a49"));
    assert_eq!(keys.partial[0], fr("26ff6166f1e4b99e27eee6d352a8ce26f1daba01aad28021f11f38a70603afdc"));
    assert_eq!(keys.partial[49], fr("15aaa6cc9b7900b15683c95515c26028a8e35b00ed8a815c34927188c60de660"));
    assert_eq!(keys.last[0][0], fr("1bf28a93209084bbbc63234f057254c280b1a636f5a0eced6787320212f75a7a"));
    assert_eq!(keys.last[2][1], fr("08a50897c06aafe6ea414fb1bceca2267cd4a39486729fbc6d5d1bb7a172ebd2"));
}

#[test]
fn compression_feeds_the_right_input_forward() {
    let (l, r) = (Fr::from(1), Fr::from(2));
    assert_eq!(compress(l, r), fr(PERMUTATIONS[1].1[1]) + r);
    assert_ne!(compress(l, r), compress(r, l));
}

#[test]
fn chains_fold_from_the_left_and_the_length_separates_them() {
    let e = [Fr::from(7), Fr::from(8), Fr::from(9)];
    assert_eq!(hash_chain(e), compress(compress(e[0], e[1]), e[2]));
    assert_eq!(hash_chain([e[0]]), e[0]);
    assert_eq!(hash_chain([]), Fr::ZERO);
    let with = chain_with_length(3, e);
    assert_eq!(with, compress(compress(compress(Fr::from(3), e[0]), e[1]), e[2]));
    // A trailing zero changes the chain even where the length did not.
    assert_ne!(chain_with_length(2, [e[0]]), chain_with_length(2, [e[0], Fr::ZERO]));
    assert_ne!(chain_with_length(1, [e[0]]), chain_with_length(2, [e[0]]));
}
