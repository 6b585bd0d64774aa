//! Bad input is a typed error on every backend of this build: it says what was given and what was expected. Never a
//! panic, never a wrong result.

mod backends;
#[cfg(feature = "cuda")]
mod ptx;

use ff::{Field, PrimeField};
use group::Curve;
use halo2curves::CurveAffine;
use halo2curves::bn256::{Fq, Fq2, Fr, G1, G1Affine, G2, G2Affine};
use lathe_kernels::backend::share_points;
use lathe_kernels::validate::{check_g1, check_g2, check_g2_curve, check_scalars, scalars_from_le_bytes};
use lathe_kernels::{Backend, CurvePoint, G1Bases, G2Bases, KernelError, RawG1, RawG2};
use std::sync::Arc;

/// Asserts an error on every backend; `wanted` are parts of its text.
fn refused<T>(what: &str, wanted: &[&str], run: impl Fn(&dyn Backend) -> Result<T, KernelError>) {
    for (name, backend) in backends::all() {
        let error = match run(&**backend) {
            Ok(_) => panic!("{what} was accepted on {name}"),
            Err(error) => error.to_string(),
        };
        for part in wanted {
            assert!(error.contains(part), "{what} on {name}: {error:?} lacks {part:?}");
        }
    }
}

#[test]
fn scalars_that_are_too_few_or_too_many() {
    let (g1, g2) = ([G1Affine::generator(); 3], [G2Affine::generator(); 3]);
    for n in [0usize, 2, 4, 300] {
        let (given, scalars) = (n.to_string(), vec![Fr::ONE; n]);
        let wanted = [&format!("{given} elements given"), "3 expected"];
        refused("G1", &wanted, |b| b.msm_g1(&b.upload_g1(share_points(&g1))?, &scalars));
        refused("G2", &wanted, |b| b.msm_g2(&b.upload_g2(share_points(&g2))?, &scalars));
    }
}

#[test]
fn transforms_of_a_size_that_is_no_power_of_two() {
    for n in [0usize, 3, 6, 1000, 1025] {
        let wanted = [&*format!("size {n} "), "power of two"];
        refused("fft", &wanted, |b| b.fft(&mut vec![Fr::ONE; n]));
        refused("ifft", &wanted, |b| b.ifft(&mut vec![Fr::ONE; n]));
        refused("coset_fft", &wanted, |b| b.coset_fft(&mut vec![Fr::ONE; n]));
        refused("coset_ifft", &wanted, |b| b.coset_ifft(&mut vec![Fr::ONE; n]));
        refused("quotient", &wanted, |b| b.quotient(vec![Fr::ONE; n], vec![Fr::ONE; n], vec![Fr::ONE; n]));
    }
}

#[test]
fn a_refused_transform_leaves_its_input_as_it_was() {
    let values: Vec<Fr> = (0..100).map(Fr::from).collect();
    for (name, backend) in backends::all() {
        let mut given = values.clone();
        for transform in [Backend::fft, Backend::ifft, Backend::coset_fft, Backend::coset_ifft] {
            assert!(transform(&**backend, &mut given).is_err());
            assert_eq!(given, values, "{name}");
        }
    }
}

/// 2^29 zeros are 16 GiB that nobody writes to: the size is refused before a page is touched.
#[test]
#[cfg(target_os = "linux")]
fn transforms_beyond_the_fields_two_adicity() {
    let log = lathe_kernels::domain::TWO_ADICITY + 1;
    assert_eq!(
        lathe_kernels::domain::log_size(1 << log),
        Err(KernelError::BeyondTwoAdicity { log_size: 29, max: 28 })
    );
    let map = memmap2::MmapOptions::new().len(32 << log).no_reserve_swap().map_anon();
    let mut map = map.expect("address space without memory behind it");
    // SAFETY: the map is zeros, page aligned, 2^29 times 32 bytes long and borrowed for this test alone; Fr is four
    // plain u64 (halo2curves derives it so), for which zeros are the number zero.
    let values = unsafe { std::slice::from_raw_parts_mut(map.as_mut_ptr().cast::<Fr>(), 1 << log) };
    for (name, backend) in backends::all() {
        for transform in [Backend::fft, Backend::ifft, Backend::coset_fft, Backend::coset_ifft] {
            let error = transform(&**backend, values).unwrap_err();
            assert_eq!(error, KernelError::BeyondTwoAdicity { log_size: 29, max: 28 }, "{name}");
        }
    }
}

#[test]
fn quotients_of_unequal_lengths() {
    let ones = |n| vec![Fr::ONE; n];
    refused("b too long", &["8 elements given", "4 expected"], |b| b.quotient(ones(4), ones(8), ones(4)));
    refused("c too short", &["2 elements given", "4 expected"], |b| b.quotient(ones(4), ones(4), ones(2)));
    refused("no c", &["0 elements given", "4 expected"], |b| b.quotient(ones(4), ones(4), vec![]));
}

#[test]
fn bases_of_another_backend_or_of_nobody() {
    let (g1, g2) = ([G1Affine::generator()], [G2Affine::generator()]);
    let wanted = ["uploaded to another backend"];
    refused("no bases", &wanted, |b| b.msm_g1(&G1Bases::new(1, Arc::new(())), &[Fr::ONE]));
    refused("no bases", &wanted, |b| b.msm_g2(&G2Bases::new(1, Arc::new(7u8)), &[Fr::ONE]));
    for (owner_name, owner) in backends::all() {
        let (b1, b2) =
            (owner.upload_g1(share_points(&g1)).unwrap(), owner.upload_g2(share_points(&g2)).unwrap());
        for (name, backend) in backends::all() {
            // Paths of the CPU understand each other's; all others refuse. Nobody gives a wrong result.
            match backend.msm_g1(&b1, &[Fr::from(5)]) {
                Ok(sum) => assert_eq!(sum, G1::generator() * Fr::from(5)),
                Err(error) => {
                    assert!(matches!(error, KernelError::ForeignBases { .. }), "{error}");
                    assert_ne!(owner_name, name);
                }
            }
            match backend.msm_g2(&b2, &[Fr::from(5)]) {
                Ok(sum) => assert_eq!(sum, G2::generator() * Fr::from(5)),
                Err(error) => {
                    assert!(matches!(error, KernelError::ForeignBases { .. }), "{error}");
                    assert_ne!(owner_name, name);
                }
            }
        }
    }
}

fn g1_points() -> Vec<RawG1> {
    (0..300u64).map(|i| (G1::generator() * Fr::from(i)).to_affine().to_raw()).collect()
}

fn g2_points() -> Vec<RawG2> {
    (0..300u64).map(|i| (G2::generator() * Fr::from(i)).to_affine().to_raw()).collect()
}

#[test]
fn good_points_pass_with_infinity_among_them() {
    let (g1, g2) = (g1_points(), g2_points());
    assert_eq!((g1[0], g2[0]), ([0; 8], [0; 16]));
    assert_eq!((check_g1(&g1), check_g2(&g2), check_g2_curve(&g2)), (Ok(()), Ok(()), Ok(())));
    assert_eq!((check_g1(&[]), check_g2(&[])), (Ok(()), Ok(())));
}

#[test]
fn points_off_the_curve() {
    let (mut g1, mut g2) = (g1_points(), g2_points());
    // A changed coordinate; a half of infinity; a point of the other sign class of y^2 = x^3 + 3.
    for limb in 0..8 {
        let good = g1[7];
        g1[7][limb] ^= 1;
        assert_eq!(check_g1(&g1), Err(KernelError::OffCurve { index: 7 }), "limb {limb}");
        g1[7] = good;
    }
    for limb in 0..16 {
        let good = g2[7];
        g2[7][limb] ^= 1;
        assert_eq!(check_g2(&g2), Err(KernelError::OffCurve { index: 7 }), "limb {limb}");
        assert_eq!(check_g2_curve(&g2), Err(KernelError::OffCurve { index: 7 }), "limb {limb}");
        g2[7] = good;
    }
    g1[0] = G1Affine { x: Fq::ZERO, y: Fq::ONE }.to_raw();
    assert_eq!(check_g1(&g1), Err(KernelError::OffCurve { index: 0 }));
    // The first of several is named.
    g1[299] = [1; 8];
    g1[0] = [0; 8];
    g1[100] = [1; 8];
    assert_eq!(check_g1(&g1), Err(KernelError::OffCurve { index: 100 }));
}

/// Limbs at or above the order name the same residue twice; taken as they are they would give wrong sums.
#[test]
fn coordinates_that_are_not_reduced() {
    let order: [u64; 4] = [0x3c208c16d87cfd47, 0x97816a916871ca8d, 0xb85045b68181585d, 0x30644e72e131a029];
    for bad in [order, [u64::MAX; 4]] {
        for at in 0..2 {
            let mut g1 = g1_points();
            g1[5][4 * at..4 * at + 4].copy_from_slice(&bad);
            let error = check_g1(&g1).unwrap_err();
            assert!(matches!(error, KernelError::NonCanonical { index: 5, .. }), "{error}");
        }
        for at in 0..4 {
            let mut g2 = g2_points();
            g2[5][4 * at..4 * at + 4].copy_from_slice(&bad);
            let error = check_g2(&g2).unwrap_err();
            assert!(matches!(error, KernelError::NonCanonical { index: 5, .. }), "{error}");
        }
    }
}

#[test]
fn points_outside_the_subgroup_alone_and_in_a_crowd() {
    let stray = (1..)
        .find_map(|i: u64| {
            let x = Fq2::new(Fq::from(i), Fq::ONE);
            let y: Option<Fq2> = (x.square() * x + G2Affine::b()).sqrt().into();
            y.map(|y| G2Affine { x, y })
        })
        .unwrap();
    let mut few = g2_points();
    few[42] = stray.to_raw();
    assert_eq!(check_g2_curve(&few), Ok(()), "it is on the twist");
    assert_eq!(check_g2(&few), Err(KernelError::OutsideSubgroup { index: 42 }));
    // Enough points for the test by random sums.
    let mut crowd: Vec<RawG2> = few.iter().cycle().take(1 << 13).copied().collect();
    crowd.iter_mut().skip(42).step_by(300).for_each(|p| *p = [0; 16]);
    assert_eq!(check_g2(&crowd), Ok(()));
    crowd[8000] = stray.to_raw();
    assert_eq!(check_g2(&crowd), Err(KernelError::OutsideSubgroup { index: 8000 }));
}

#[test]
fn scalars_that_are_not_reduced() {
    let order: [u64; 4] = [0x43e1f593f0000001, 0x2833e84879b97091, 0xb85045b68181585d, 0x30644e72e131a029];
    let mut scalars: Vec<Fr> = (0..100).map(Fr::from).collect();
    assert_eq!(check_scalars(&scalars), Ok(()));
    for bad in [order, [u64::MAX; 4]] {
        scalars[77] = Fr(bad);
        assert_eq!(check_scalars(&scalars), Err(KernelError::NonCanonical { what: "scalar", index: 77 }));
    }
    let encode = |limbs: [u64; 4]| limbs.map(u64::to_le_bytes).concat();
    let mut largest = order;
    largest[0] -= 1;
    let good = [encode([0; 4]), encode([5, 0, 0, 0]), encode(largest)].concat();
    assert_eq!(scalars_from_le_bytes(&good), Ok(vec![Fr::ZERO, Fr::from(5), -Fr::ONE]));
    assert_eq!((-Fr::ONE).to_repr().as_ref(), &encode(largest)[..]);
    for bad in [order, [u64::MAX; 4]] {
        let bytes = [good.clone(), encode(bad), encode(bad)].concat();
        let error = scalars_from_le_bytes(&bytes);
        assert_eq!(error, Err(KernelError::NonCanonical { what: "scalar", index: 3 }));
    }
    for cut in [1, 31, 33, 95] {
        let error = scalars_from_le_bytes(&good[..cut]).unwrap_err().to_string();
        assert!(error.contains(&format!("{cut} elements given")), "{error}");
    }
}
