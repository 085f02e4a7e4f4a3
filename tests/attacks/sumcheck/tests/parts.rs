// SPDX-License-Identifier: MIT OR Apache-2.0
//! Parts of the verifier say no to what does not fit them, whoever calls them.

use ark_bn254::Fq;
use ark_ff::{BigInteger, PrimeField};
use commitment::{Commitment, Kzg, VerifierKey};
use field::Fr;
use forgeries::{Text, World};
use relation::weights::{at, regroup};
use relation::{Claim, Factor, Form, expand};
use serde_json::json;

fn point(count: u64) -> Vec<Fr> {
    (0..count).map(|i| Fr::from(i + 7)).collect()
}

/// y = x, two bytes.
fn identity() -> World {
    Text::default().input(&[2], [0, 255]).then("add", &["trace 0"], json!({"coefficients": [[1]]}), &[2], None).world(1)
}

#[test]
fn claims_that_do_not_fit_their_tensor_expand_to_nothing() {
    let mut system = identity().key.system;
    let claim =
        |tensor: usize, bits: u64| vec![Claim { coefficient: Fr::from(1u64), tensor, weights: vec![Factor::Eq(point(bits))] }];
    let (given, input, output) = (0, system.inputs[0], system.outputs[0]);
    assert!(matches!(system.tensors[given].form, Form::Given));
    assert!(expand(&system, claim(output, 1)).is_some());
    for none in [claim(output, 2), claim(output, 0), claim(input, 2), claim(given, 1), claim(99, 1)] {
        assert_eq!(expand(&system, none), None);
    }
    let Form::Linear(linear) = &mut system.tensors[output].form else { panic!("a sum") };
    linear.terms[0].source = output;
    assert_eq!(expand(&system, claim(output, 1)), None, "a tensor that refers to itself");
}

#[test]
fn weights_are_cut_without_a_rest() {
    let weights = [Factor::Eq(point(2)), Factor::Prefix(1, 2)];
    assert!(regroup(&weights, &[1, 2]).is_some());
    assert_eq!(regroup(&weights, &[1, 1]), None);
    assert_eq!(regroup(&weights, &[2, 2]), None);
    assert!(at(&weights, &point(3)).is_some());
    assert_eq!(at(&weights, &point(4)), None);
    assert_eq!(at(&weights, &point(2)), None);
}

#[test]
fn rows_are_folded_with_a_weight_each() {
    let rows = identity().key.verifier.rows;
    let rows = if rows.is_empty() { vec![Kzg::row_from_words(&[[0; 32]; 2]).expect("infinity")] } else { rows };
    assert!(Kzg::fold(&rows, &point(rows.len() as u64)).is_some());
    assert_eq!(Kzg::fold(&rows, &point(rows.len() as u64 + 1)), None);
    assert_eq!(Kzg::fold(&[], &[]), None);
}

/// (4 x, 8 y) is on a curve that is isomorphic over the base field, so that the test of the subgroup alone would let it pass.
#[test]
fn a_secret_on_another_curve_of_the_same_form_is_no_reference_string() {
    let words = identity().reference_words();
    assert!(VerifierKey::from_words(&words).is_some());
    let times = |word: &[u8; 32], factor: u64| -> [u8; 32] {
        let product = Fq::from_be_bytes_mod_order(word) * Fq::from(factor);
        product.into_bigint().to_bytes_be().try_into().expect("32 bytes")
    };
    let [x1, x0, y1, y0] = &words;
    assert_eq!(VerifierKey::from_words(&[times(x1, 4), times(x0, 4), times(y1, 8), times(y0, 8)]), None);
}
