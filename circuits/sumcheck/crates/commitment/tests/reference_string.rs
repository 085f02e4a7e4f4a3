// SPDX-License-Identifier: MIT OR Apache-2.0
//! Reference strings: a file of halo2's is read and checked, and a false one is refused for its reason.

use ark_bn254::{Fq, Fr, G1Affine, G2Affine};
use ark_ec::{AffineRepr, CurveGroup};
use commitment::{Commitment, Error, Kzg, Origin, Srs};

const K: u32 = 3;
const G1: usize = 4;
const G2: usize = 4 + (128 << K);

fn raw(x: &Fq) -> [u8; 32] {
    let mut bytes = [0; 32];
    for (chunk, limb) in bytes.chunks_mut(8).zip(x.0.0) {
        chunk.copy_from_slice(&limb.to_le_bytes());
    }
    bytes
}

fn raw_g1(point: &G1Affine) -> Vec<u8> {
    let (x, y) = point.xy().unwrap_or_default();
    [raw(&x), raw(&y)].concat()
}

fn raw_g2(point: &G2Affine) -> Vec<u8> {
    let (x, y) = point.xy().unwrap_or_default();
    [x.c0, x.c1, y.c0, y.c1].iter().flat_map(raw).collect()
}

/// A true file of 2^3 points, written by hand: powers of 5. The Lagrange half is left as zeros, as it is not read.
fn file() -> Vec<u8> {
    let mut bytes = K.to_le_bytes().to_vec();
    let powers = (0..1 << K).map(|i| (G1Affine::generator() * Fr::from(5u64.pow(i))).into_affine());
    bytes.extend(powers.flat_map(|point| raw_g1(&point)));
    bytes.resize(G2, 0);
    bytes.extend(raw_g2(&G2Affine::generator()));
    bytes.extend(raw_g2(&(G2Affine::generator() * Fr::from(5u64)).into_affine()));
    bytes
}

#[test]
fn file_of_true_powers_is_read() {
    let srs = Srs::from_halo2(&file()).unwrap();
    assert_eq!((srs.origin, srs.k()), (Origin::Given, K));
    let row = Kzg::commit_integers(&srs.prover_key(2).unwrap(), &[1, 0, 2]).unwrap();
    assert_eq!(row, (G1Affine::generator() * Fr::from(51u64)).into_affine());
    assert_eq!(srs.prover_key(4).unwrap_err(), Error::TooLong { values: 16, points: 8 });
}

#[test]
fn id_depends_on_secret_and_size_only() {
    let made = |k, seed: &[u8]| Srs::unsafe_from_seed(k, seed).unwrap();
    assert_eq!(made(3, b"a").id(), made(3, b"a").id());
    assert_ne!(made(3, b"a").id(), made(4, b"a").id());
    assert_ne!(made(3, b"a").id(), made(3, b"b").id());
    assert_eq!(made(3, b"a").origin, Origin::Unsafe);
    assert_eq!(made(3, b"a").verifier_key(), made(4, b"a").verifier_key());
}

#[test]
fn file_with_one_thing_changed_is_refused_for_its_reason() {
    let refused = |why: &'static str, change: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = file();
        change(&mut bytes);
        assert_eq!(Srs::from_halo2(&bytes).unwrap_err(), Error::Srs(why));
    };
    refused("it has no size", &|bytes| bytes.truncate(3));
    refused("its size is none that exists", &|bytes| bytes[0] = 0);
    refused("its size is none that exists", &|bytes| bytes[3] = 255);
    refused("its length is not that of its size", &|bytes| bytes.truncate(G2));
    refused("its length is not that of its size", &|bytes| bytes.push(0));
    refused("its length is not that of its size", &|bytes| bytes[0] = 4);
    let curve = "a point is not on the curve";
    refused(curve, &|bytes| bytes[G1 + 64] ^= 1);
    refused(curve, &|bytes| bytes[G1 + 64..G1 + 128].fill(0));
    refused(curve, &|bytes| bytes[G1 + 64..G1 + 96].fill(255));
    let generators = "it does not begin with the generators";
    refused(generators, &|bytes| bytes.copy_within(G1 + 64..G1 + 128, G1));
    refused(generators, &|bytes| bytes.copy_within(G2 + 128..G2 + 256, G2));
    let secret = "its secret is no point of the second group";
    refused(secret, &|bytes| bytes[G2 + 128] ^= 1);
    refused(secret, &|bytes| bytes[G2 + 128..].fill(0));
    let powers = "its points are not powers of one secret";
    refused(powers, &|bytes| bytes.copy_within(G1 + 64..G1 + 128, G1 + 7 * 64));
    refused(powers, &|bytes| bytes.copy_within(G2..G2 + 128, G2 + 128));
}
