// SPDX-License-Identifier: MIT OR Apache-2.0
//! True openings as JSON, one a number of coordinates, for whoever checks them in another language. The same at every run.
//!
//! `cargo run --release -p commitment --example openings -- 2 3 8 > ../../tests/differential/openings.json`

use commitment::{Commitment, Kzg, Srs};
use field::Fr;
use serde_json::{Map, Value, json};
use transcript::Transcript;

fn main() {
    let sizes: Vec<u32> = std::env::args().skip(1).filter_map(|n| n.parse().ok()).collect();
    let made: Map<String, Value> = sizes.into_iter().map(|n| (format!("n = {n}"), opening(n))).collect();
    println!("{}", serde_json::to_string_pretty(&made).expect("strings and lists of strings"));
}

fn opening(n: u32) -> Value {
    let srs = Srs::unsafe_from_seed(n, b"openings").expect("a size that exists");
    let key = srs.prover_key(n).expect("its own size");
    let mut random = Transcript::new("openings");
    let poly: Vec<Fr> = (0..1 << n).map(|_| random.challenge("value")).collect();
    let point: Vec<Fr> = (0..n).map(|_| random.challenge("point")).collect();
    let value = point.iter().fold(poly.clone(), |poly, u| {
        let (low, high) = poly.split_at(poly.len() / 2);
        low.iter().zip(high).map(|(low, high)| *low + *u * (*high - low)).collect()
    });
    let row = Kzg::commit_field(&key, &poly).expect("as long as its key");
    let mut transcript = Transcript::new("openings");
    let before = transcript.state();
    let opening = Kzg::open(&key, &row, &poly, &point, &mut transcript).expect("dense");
    json!({
        "tau": words(&srs.tau_words()),
        "row": words(&Kzg::words(&row)),
        "point": words(&point.iter().map(field::to_bytes).collect::<Vec<_>>()),
        "value": word(&field::to_bytes(&value[0])),
        "words": words(&Kzg::opening_words(&opening)),
        "before": word(&before),
        "after": word(&transcript.state()),
    })
}

fn words(words: &[[u8; 32]]) -> Vec<String> {
    words.iter().map(word).collect()
}

fn word(word: &[u8; 32]) -> String {
    word.iter().fold(String::from("0x"), |text, byte| format!("{text}{byte:02x}"))
}
