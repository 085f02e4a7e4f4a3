// SPDX-License-Identifier: MIT OR Apache-2.0
//! Openings: true ones hold, and nothing else does.

use ark_bn254::{Fq, G1Affine, G2Affine};
use ark_ec::{AffineRepr, CurveGroup};
use ark_ff::{BigInteger, PrimeField};
use commitment::{Commitment, Error, Kzg, ProverKey, Srs, VerifierKey};
use field::{Fr, from_bytes_reduced, from_i64};
use proptest::prelude::*;
use std::sync::OnceLock;
use transcript::Transcript;

type Words = Vec<[u8; 32]>;

fn srs() -> &'static Srs {
    static SRS: OnceLock<Srs> = OnceLock::new();
    SRS.get_or_init(|| Srs::unsafe_from_seed(9, b"tests").expect("9 is a size"))
}

fn keys() -> (ProverKey, VerifierKey) {
    (srs().prover_key(9).expect("as long as the string"), srs().verifier_key())
}

/// Scalars that look random, the same at every run.
fn scalars(count: usize, domain: &'static str) -> Vec<Fr> {
    let mut transcript = Transcript::new(domain);
    (0..count).map(|_| transcript.challenge("scalar")).collect()
}

fn naive_value(poly: &[Fr], point: &[Fr]) -> Fr {
    let weight = |index: usize| {
        point.iter().rev().enumerate().map(|(bit, u)| if index >> bit & 1 == 1 { *u } else { from_i64(1) - u }).product::<Fr>()
    };
    poly.iter().enumerate().map(|(index, value)| weight(index) * value).sum()
}

/// One true statement with its opening as words.
#[derive(Clone)]
struct Honest {
    row: G1Affine,
    point: Vec<Fr>,
    value: Fr,
    words: Words,
    state: [u8; 32],
}

fn honest(n: usize) -> Honest {
    let poly = scalars(1 << n, "poly");
    let point = scalars(n, "point");
    let (key, _) = keys();
    let row = Kzg::commit_field(&key, &poly).unwrap();
    let mut transcript = Transcript::new("test");
    let opening = Kzg::open(&key, &row, &poly, &point, &mut transcript).unwrap();
    Honest { row, value: naive_value(&poly, &point), point, words: Kzg::opening_words(&opening), state: transcript.state() }
}

/// (whether it holds, the transcript's last state). What cannot be read does not hold.
fn verify(case: &Honest) -> (bool, [u8; 32]) {
    let mut transcript = Transcript::new("test");
    let holds = Kzg::opening_from_words(case.point.len(), &case.words)
        .is_some_and(|opening| Kzg::verify(&keys().1, &case.row, &case.point, &case.value, &opening, &mut transcript));
    (holds, transcript.state())
}

#[test]
fn opening_of_the_true_value_holds_and_leaves_equal_transcripts() {
    for n in 2..=9 {
        let case = honest(n);
        assert_eq!(case.words.len(), Kzg::opening_words_count(n));
        assert_eq!(verify(&case), (true, case.state), "n = {n}");
    }
}

#[test]
fn opening_of_another_value_point_row_or_transcript_does_not_hold() {
    for n in [4, 5] {
        let case = honest(n);
        let one = from_i64(1);
        assert!(!verify(&Honest { value: case.value + one, ..case.clone() }).0);
        for place in 0..n {
            let mut point = case.point.clone();
            point[place] += one;
            assert!(!verify(&Honest { point, ..case.clone() }).0);
        }
        assert!(!verify(&Honest { point: case.point[1..].to_vec(), ..case.clone() }).0);
        assert!(!verify(&Honest { row: honest(n + 1).row, ..case.clone() }).0);
        assert!(!verify(&Honest { row: G1Affine::identity(), ..case.clone() }).0);
        let opening = Kzg::opening_from_words(n, &case.words).unwrap();
        assert!(!Kzg::verify(&keys().1, &case.row, &case.point, &case.value, &opening, &mut Transcript::new("other")));
        let other = Srs::unsafe_from_seed(2, b"other").unwrap().verifier_key();
        assert!(!Kzg::verify(&other, &case.row, &case.point, &case.value, &opening, &mut Transcript::new("test")));
    }
}

/// Points begin at these words of an opening, scalars stand at the others.
const POINTS: [usize; 8] = [0, 2, 4, 6, 8, 16, 18, 20];
const SCALARS: std::ops::Range<usize> = 10..16;

fn fq_word(x: Fq) -> [u8; 32] {
    x.into_bigint().to_bytes_be().try_into().unwrap()
}

#[test]
fn opening_with_any_point_exchanged_does_not_hold() {
    let case = honest(5);
    let row = Kzg::words(&case.row);
    for place in POINTS {
        let negative = fq_word(-Fq::from_be_bytes_mod_order(&case.words[place + 1]));
        for [x, y] in [[row[0], row[1]], [case.words[place], negative]] {
            let mut words = case.words.clone();
            [words[place], words[place + 1]] = [x, y];
            assert!(Kzg::opening_from_words(5, &words).is_some(), "a point, so it can be read");
            assert!(!verify(&Honest { words, ..case.clone() }).0, "point at {place}");
        }
    }
    for place in SCALARS {
        let mut words = case.words.clone();
        words[place] = field::to_bytes(&(from_bytes_reduced(&words[place]) + from_i64(1)));
        assert!(Kzg::opening_from_words(5, &words).is_some(), "a scalar, so it can be read");
        assert!(!verify(&Honest { words, ..case.clone() }).0, "scalar at {place}");
    }
}

#[test]
fn opening_that_is_not_canonical_cannot_be_read() {
    let case = honest(4);
    let readable = |change: &dyn Fn(&mut Words)| {
        let mut words = case.words.clone();
        change(&mut words);
        Kzg::opening_from_words(4, &words).is_some()
    };
    assert!(readable(&|_| ()));
    assert!(!readable(&|words| words.truncate(21)));
    assert!(!readable(&|words| words.push([0; 32])));
    assert!(!readable(&Words::clear));
    for place in POINTS {
        assert!(!readable(&|words| words[place..place + 2].fill([0; 32])), "infinity at {place}");
        assert!(!readable(&|words| words[place][31] ^= 1), "off the curve at {place}");
        assert!(!readable(&|words| words[place] = plus(&words[place], Fq::MODULUS)), "x + q at {place}");
        assert!(!readable(&|words| words[place + 1] = plus(&words[place + 1], Fq::MODULUS)), "y + q at {place}");
    }
    for place in SCALARS {
        assert!(!readable(&|words| words[place] = plus(&words[place], Fr::MODULUS)), "s + p at {place}");
        assert!(!readable(&|words| words[place] = [255; 32]), "2^256 - 1 at {place}");
    }
}

/// The same number modulo `modulus`, which has another encoding: 2^256 holds five of either modulus.
fn plus(word: &[u8; 32], modulus: ark_ff::BigInt<4>) -> [u8; 32] {
    let mut limbs = [0; 4];
    for (limb, chunk) in limbs.iter_mut().rev().zip(word.as_chunks::<8>().0) {
        *limb = u64::from_be_bytes(*chunk);
    }
    let mut sum = ark_ff::BigInt(limbs);
    assert!(!sum.add_with_carry(&modulus));
    sum.to_bytes_be().try_into().unwrap()
}

#[test]
fn rows_of_every_width_agree_and_fold_as_their_values_do() {
    let (key, _) = keys();
    let bytes: Vec<i64> = (0..100).map(|i| i * i % 251).collect();
    let field: Vec<Fr> = bytes.iter().map(|&v| from_i64(v)).collect();
    let row = Kzg::commit_integers(&key, &bytes).unwrap();
    assert_eq!(row, Kzg::commit_field(&key, &field).unwrap());
    let negative: Vec<i64> = bytes.iter().map(|v| -v * 70_000).collect();
    let other = Kzg::commit_integers(&key, &negative).unwrap();
    let weights = [from_i64(-3), from_i64(1 << 40)];
    let folded: Vec<Fr> = field.iter().map(|v| *v * (weights[0] - from_i64(70_000) * weights[1])).collect();
    assert_eq!(Kzg::fold(&[row, other], &weights), Some(Kzg::commit_field(&key, &folded).unwrap()));
}

/// Opposite and equal points meet in one bucket: those of a secret of minus one.
#[test]
fn rows_under_a_string_of_two_points_are_summed_right() {
    let minus = Srs::from_halo2(&file_of_minus_one()).unwrap().prover_key(3).unwrap();
    for row in [[1; 8], [0, 2, 0, 2, 0, 2, 0, 2], [3, 3, 3, 3, 3, 3, 3, 0], [1, 2, 3, 4, 5, 6, 7, 255]] {
        let value: i64 = row.iter().zip([1, -1].into_iter().cycle()).map(|(v, sign)| v * sign).sum();
        let wanted: G1Affine = (G1Affine::generator() * from_i64(value)).into_affine();
        assert_eq!(Kzg::commit_integers(&minus, &row), Ok(wanted));
        assert_eq!(Kzg::commit_integers(&minus, &row.map(|v| v * 257)), Ok((wanted * from_i64(257)).into_affine()));
    }
}

fn file_of_minus_one() -> Vec<u8> {
    let raw = |x: &Fq| x.0.0.iter().flat_map(|limb| limb.to_le_bytes()).collect::<Vec<u8>>();
    let g2 = |p: &G2Affine| [p.x.c0, p.x.c1, p.y.c0, p.y.c1].iter().flat_map(raw).collect::<Vec<u8>>();
    let (one, minus) = (G1Affine::generator(), -G1Affine::generator());
    let powers = (0..8).flat_map(|i| if i % 2 == 0 { [one.x, one.y] } else { [minus.x, minus.y] });
    let mut bytes = 3u32.to_le_bytes().to_vec();
    bytes.extend(powers.flat_map(|x| raw(&x)));
    bytes.resize(4 + 2 * 8 * 64, 0);
    bytes.extend([g2(&G2Affine::generator()), g2(&-G2Affine::generator())].concat());
    bytes
}

#[test]
fn row_that_is_not_canonical_cannot_be_read() {
    let row = honest(3).row;
    let words = Kzg::words(&row);
    assert_eq!(Kzg::row_from_words(&words), Some(row));
    assert_eq!(Kzg::row_from_words(&[[0; 32]; 2]), Some(G1Affine::identity()));
    assert_eq!(Kzg::row_from_words(&words[..1]), None);
    assert_eq!(Kzg::row_from_words(&[words.clone(), words.clone()].concat()), None);
    assert_eq!(Kzg::row_from_words(&[[0; 32], words[1]]), None);
    assert_eq!(Kzg::row_from_words(&[plus(&words[0], Fq::MODULUS), words[1]]), None);
}

#[test]
fn lengths_that_do_not_fit_are_errors_and_no_panics() {
    let (key, _) = keys();
    let mut t = Transcript::new("test");
    assert_eq!(Kzg::commit_integers(&key, &[]), Err(Error::Empty));
    assert_eq!(Kzg::commit_integers(&key, &[1; 513]), Err(Error::TooLong { values: 513, points: 512 }));
    assert_eq!(Kzg::commit_integers(&key, &[0; 4]).unwrap(), G1Affine::identity());
    assert_eq!(Kzg::fold(&[], &[]), None);
    assert_eq!(Kzg::fold(&[honest(2).row], &[]), None);
    let row = honest(2).row;
    for (values, coordinates) in [(2, 1), (1, 0), (8, 2), (3, 2), (0, 2), (4, 70)] {
        let opened = Kzg::open(&key, &row, &scalars(values, "poly"), &scalars(coordinates, "point"), &mut t);
        assert_eq!(opened, Err(Error::WrongShape { values, coordinates }));
    }
    let (poly, point) = (scalars(1 << 10, "poly"), scalars(10, "point"));
    assert!(matches!(Kzg::open(&key, &row, &poly, &point, &mut t), Err(Error::TooLong { .. })));
}

#[test]
fn polynomial_that_would_need_infinity_is_refused_by_its_prover() {
    let (key, _) = keys();
    let mut poly = vec![from_i64(0); 16];
    poly[..4].copy_from_slice(&scalars(4, "poly")); // one row of four: the quotient is zero
    let row = Kzg::commit_field(&key, &poly).unwrap();
    let opened = Kzg::open(&key, &row, &poly, &scalars(4, "point"), &mut Transcript::new("test"));
    assert_eq!(opened, Err(Error::Degenerate("q")));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Any words at all: an answer, and it is no.
    #[test]
    fn opening_of_any_words_does_not_hold(words in prop::collection::vec(any::<[u8; 32]>(), 0..30), value: u64) {
        let case = honest(3);
        let value = Fr::from(value);
        let (holds, _) = verify(&Honest { words, value, ..case });
        prop_assert!(!holds);
    }

    /// A bit of a true opening flipped.
    #[test]
    fn opening_with_a_bit_flipped_does_not_hold(word in 0usize..22, bit in 0usize..256) {
        let mut case = honest(3);
        case.words[word][bit / 8] ^= 1 << (bit % 8);
        prop_assert!(!verify(&case).0);
    }

    /// Small and special points: bits, repeated coordinates.
    #[test]
    fn opening_at_small_points_holds(n in 2usize..7, choices in prop::collection::vec(0i64..4, 6), seed: i64) {
        let poly: Vec<Fr> = scalars(1 << n, "poly").iter().map(|v| *v * from_i64(seed) + from_i64(1)).collect();
        let point: Vec<Fr> = choices.iter().take(n).map(|c| from_i64(*c - 1)).collect();
        let (key, verifier) = keys();
        let row = Kzg::commit_field(&key, &poly).unwrap();
        let opening = Kzg::open(&key, &row, &poly, &point, &mut Transcript::new("test")).unwrap();
        let value = naive_value(&poly, &point);
        prop_assert!(Kzg::verify(&verifier, &row, &point, &value, &opening, &mut Transcript::new("test")));
        prop_assert!(!Kzg::verify(&verifier, &row, &point, &(value + from_i64(1)), &opening, &mut Transcript::new("test")));
    }
}
