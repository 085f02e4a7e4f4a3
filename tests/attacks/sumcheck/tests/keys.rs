// SPDX-License-Identifier: MIT OR Apache-2.0
//! Keys that are none, and keys of something else.

use commitment::Kzg;
use compiler::{KeyError, Layout, Phase, VerifierKey};
use forgeries::{Text, World};
use proptest::prelude::{any, prop, proptest};
use protocol::verify;
use relation::conv::{Conv, Window};
use relation::product::Label;
use relation::system::Tensor;
use relation::{Column, Form, Group, Linear, LinearTerm, Lookup, Operand, Product, System, Table};
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

/// A key's system with one thing changed.
type Change = fn(&mut System);

/// A tensor that nobody reads, and that is well formed but for what is changed.
fn with_product(system: &mut System, shape: &[usize], change: impl FnOnce(&mut Product)) {
    let operand = |tensor: usize| Operand { tensor, zero: 0, labels: vec![0] };
    let (left, right) = (operand(system.inputs[0]), operand(system.inputs[0]));
    let mut product = Product { labels: vec![Label { bits: 2, size: 4 }, Label { bits: 1, size: 2 }], out: vec![0], left, right };
    change(&mut product);
    system.tensors.push(Tensor { shape: shape.to_vec(), low: 0, high: 0, form: Form::Product(product) });
}

fn with_linear(system: &mut System, shape: &[usize], change: impl FnOnce(&mut Linear)) {
    let mut linear = Linear { terms: vec![LinearTerm::same(1, system.inputs[0], 2)], offset: 0, shift: 0 };
    change(&mut linear);
    system.tensors.push(Tensor { shape: shape.to_vec(), low: 0, high: 0, form: Form::Linear(linear) });
}

fn with_conv(system: &mut System, shape: &[usize], change: impl FnOnce(&mut Conv)) {
    let window = Window { input: 4, output: 4, kernel: 1, stride: 1, dilation: 1, pad: 0 };
    let kernel = system.tensors.len() - 1;
    let mut conv = Conv { source: system.inputs[0], zero: 0, kernels: vec![kernel], windows: vec![window], bits: [0; 4] };
    change(&mut conv);
    system.tensors.push(Tensor { shape: shape.to_vec(), low: 0, high: 0, form: Form::Conv(conv) });
}

/// y = x^2, four nibbles, by a table of the key; and a constant of one entry.
fn squares() -> World {
    let squares: Vec<i64> = (0..16).map(|i| i * i).collect();
    let text = Text::default().input(&[4], [0, 15]).constant(&[16], &squares);
    let mut world = text.then("lookup", &["trace 0", "constant 0"], json!({"base": 0, "mantissa": 0}), &[4], None).world(1);
    world.key.system.constant(&[1], vec![1]);
    world
}

#[test]
fn a_key_whose_parts_do_not_fit_each_other_is_refused() {
    let read = |change: Change| {
        let world = squares();
        let mut key = world.key_again();
        key.system.tensors = world.key.system.tensors;
        change(&mut key.system);
        key.layout = Layout::new(&key.system).unwrap_or(key.layout);
        let rows = key.layout.count(Phase::Key);
        key.rows.resize(rows, key.rows[0]);
        VerifierKey::<Kzg>::from_bytes(&key.to_bytes().expect("bytes")).err()
    };
    let fits: [Change; 4] =
        [|_| (), |s| with_product(s, &[4], |_| ()), |s| with_linear(s, &[4], |_| ()), |s| with_conv(s, &[4], |_| ())];
    fits.into_iter().enumerate().for_each(|(place, change)| assert_eq!(read(change), None, "{place}"));
    let misfits: [Change; 23] = [
        |s| s.tables[1].columns[1] = Column::Values(99),
        |s| s.tables[0].columns[0] = Column::Clip { start: 0, low: 5, high: 4 },
        |s| s.tables[0].bits = 41,
        |s| s.lookups[1].columns[1] = s.tensors.len() - 1,
        |s| s.lookups[1].columns.push(s.inputs[0]),
        |s| s.lookups[1].columns[1] = 99,
        |s| {
            s.tables.push(Table { bits: 0, columns: vec![] });
            s.lookups.push(Lookup { table: s.tables.len() - 1, columns: vec![] });
        },
        |s| with_linear(s, &[4], |linear| linear.shift = 64),
        |s| with_linear(s, &[4], |linear| linear.terms[0].order = vec![1]),
        |s| with_linear(s, &[4], |linear| linear.terms[0].source = 99),
        |s| with_linear(s, &[8], |_| ()),
        |s| with_linear(s, &[8], |linear| linear.terms[0].groups = vec![Group::Same(3)]),
        |s| with_product(s, &[4], |product| product.labels[1].bits = 41),
        |s| with_product(s, &[4, 2], |product| product.out = vec![0, 1]),
        |s| with_product(s, &[4, 4], |product| product.out = vec![0, 0]),
        |s| with_product(s, &[8], |_| ()),
        |s| with_product(s, &[2], |product| (product.out, product.left.labels) = (vec![1], vec![1, 1])),
        |s| {
            with_product(s, &[4], |product| {
                product.labels[0].bits = 1;
                (product.out, product.left.labels, product.right.labels) = (vec![0, 1], vec![0, 1], vec![1, 0]);
            });
        },
        |s| with_conv(s, &[8], |_| ()),
        |s| with_conv(s, &[4], |conv| conv.kernels.push(conv.kernels[0])),
        |s| with_conv(s, &[4], |conv| conv.windows[0].input = usize::MAX),
        |s| with_conv(s, &[4], |conv| conv.source = conv.kernels[0]),
        |s| with_conv(s, &[4], |conv| conv.kernels[0] = 1),
    ];
    let refers = Some(KeyError::Malformed("it is of another version, or refers to what it does not have"));
    misfits.into_iter().enumerate().for_each(|(place, change)| assert_eq!(read(change), refers, "{place}"));
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
