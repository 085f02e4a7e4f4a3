// SPDX-License-Identifier: MIT OR Apache-2.0
//! Keys that are none, and keys of something else.

use commitment::Kzg;
use compiler::{KeyError, VerifierKey};
use forgeries::{Text, World};
use proptest::prelude::{any, prop, proptest};
use protocol::verify;
use relation::Form;
use serde_json::json;
use std::sync::LazyLock;
use sumcheck::Fault;

static WORLD: LazyLock<(World, Vec<Vec<i64>>)> = LazyLock::new(World::digits);

/// y = x, two bytes.
fn identity() -> World {
    Text::default().input(&[2], [0, 255]).then("add", &["trace 0"], json!({"coefficients": [[1]]}), &[2], None).world(1)
}

#[test]
fn the_key_of_another_program_rejects() {
    let (world, inputs) = &*WORLD;
    let shown = world.honest(inputs);
    let under = |change: fn(&mut VerifierKey<Kzg>)| {
        let mut key = world.key_again();
        change(&mut key);
        verify(&key, &world.reference, &shown.statement, &shown.words).map(|_| ())
    };
    assert_eq!(under(|_| ()), Ok(()));
    assert!(matches!(under(|key| key.digest[0] ^= 1), Err(Fault::Rejected(_))));
    assert!(matches!(under(|key| key.rows.swap(0, 1)), Err(Fault::Rejected(_))));
    assert!(under(|key| key.system.tables.swap(0, 1)).is_err());
}

/// y = a b, z = y b by a copy of y that is committed. A key that reads y itself has claims on a product where none may be left.
#[test]
fn a_key_whose_products_are_factors_makes_no_sense() {
    let attributes = json!({"x_zero": 0, "y_zero": 0});
    let world = Text::default()
        .input(&[1], [0, 255])
        .input(&[1], [0, 255])
        .then("mul", &["trace 0", "trace 1"], attributes.clone(), &[1], None)
        .then("mul", &["trace 2", "trace 1"], attributes, &[1], None)
        .world(1);
    let (shown, mut key) = (world.honest(&[vec![3], vec![5]]), world.key_again());
    let judged = |key: &VerifierKey<Kzg>| verify(key, &world.reference, &shown.statement, &shown.words).map(|_| ());
    assert_eq!(judged(&key), Ok(()));
    let products: Vec<usize> = (0..key.system.tensors.len()).filter(|id| key.system.tensors[*id].is_product()).collect();
    let Form::Product(last) = &mut key.system.tensors[products[1]].form else { panic!("a product") };
    last.left.tensor = products[0];
    assert_eq!(judged(&key), Err(Fault::Malformed("the key does not make sense")));
}

/// Bytes that differ from a key's in one place, each for its own reason.
#[test]
fn a_key_of_another_form_is_refused() {
    let bytes = identity().key_bytes();
    let text = String::from_utf8(bytes).expect("text");
    let read = |text: &str| VerifierKey::<Kzg>::from_bytes(text.as_bytes()).err();
    assert_eq!(read(&text), None);
    let changed = |from: &str, to: &str| {
        assert!(text.contains(from), "{from}");
        read(&text.replacen(from, to, 1))
    };
    let refers = Some(KeyError::Malformed("it is of another version, or refers to what it does not have"));
    assert_eq!(changed("\"version\":1", "\"version\":2"), refers);
    for (from, to) in [
        ("\"inputs\":[1]", "\"inputs\":[9]"),
        ("\"outputs\":[2]", "\"outputs\":[9]"),
        ("\"zeros\":[]", "\"zeros\":[9]"),
        ("\"table\":0", "\"table\":9"),
        ("\"columns\":[1]", "\"columns\":[9]"),
        ("\"bits\":8", "\"bits\":63"),
        ("\"source\":1", "\"source\":2"),
        ("\"source\":1", "\"source\":9"),
        ("\"Same\":1", "\"Same\":2"),
        ("\"shape\":[1,2]", "\"shape\":[0,2]"),
        ("\"shape\":[1,2]", "\"shape\":[1099511627776,1099511627776]"),
    ] {
        assert_eq!(changed(from, to), refers, "{from} to {to}");
    }
    let rows = Some(KeyError::Malformed("it has not as many rows as its layout"));
    assert_eq!(changed("\"rows\":[", &format!("\"rows\":[{}", serde_json::to_string(&[0u8; 32]).expect("text"))), rows);
    let form = Some(KeyError::Malformed("its bytes are not what a key is written as"));
    assert_eq!(changed("{\"version\"", "{ \"version\""), form);
}

proptest! {
    #[test]
    fn any_key_bytes_are_read_or_refused(cut in any::<prop::sample::Index>(), byte: u8) {
        let (world, inputs) = &*WORLD;
        let mut bytes = world.key_bytes();
        let place = cut.index(bytes.len());
        bytes[place] = byte;
        if let Ok(key) = VerifierKey::<Kzg>::from_bytes(&bytes) {
            let shown = world.honest(inputs);
            let _ = verify(&key, &world.reference, &shown.statement, &shown.words);
        }
    }
}
