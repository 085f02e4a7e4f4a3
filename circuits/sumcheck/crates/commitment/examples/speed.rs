// SPDX-License-Identifier: MIT OR Apache-2.0
//! What rows and openings cost here: `cargo run --release -p commitment --example speed -- 16` (RAYON_NUM_THREADS=1 for one thread).

use commitment::{Commitment, Kzg, Srs};
use field::Fr;
use std::time::Instant;
use transcript::Transcript;

fn main() {
    let n: u32 = std::env::args().nth(1).and_then(|n| n.parse().ok()).unwrap_or(14);
    let count = 1usize << n;
    let srs = Srs::unsafe_from_seed(n, b"speed").expect("a size that exists");
    let (key, verifier) = (srs.prover_key(n).expect("its own size"), srs.verifier_key());
    let mut transcript = Transcript::new("speed");
    let field: Vec<Fr> = (0..count).map(|_| transcript.challenge("value")).collect();
    let integers = |bits: u32| -> Vec<i64> {
        let word = |x: &Fr| field::to_bytes(x).last_chunk::<8>().map_or(0, |bytes| i64::from_be_bytes(*bytes));
        field.iter().map(|x| word(x) & ((1 << bits) - 1)).collect()
    };
    let each = |name: &str, per: usize, start: Instant| {
        println!(
            "{name:20} {:>10.1} ns each, {:>8.1} ms",
            start.elapsed().as_nanos() as f64 / per as f64,
            start.elapsed().as_secs_f64() * 1e3
        );
    };
    for bits in [8, 12, 16, 32] {
        let row = integers(bits);
        let start = Instant::now();
        let _ = Kzg::commit_integers(&key, &row).expect("fits");
        each(&format!("commit {bits} bits"), count, start);
    }
    let start = Instant::now();
    let row = Kzg::commit_field(&key, &field).expect("fits");
    each("commit field", count, start);
    let point: Vec<Fr> = (0..n).map(|_| transcript.challenge("point")).collect();
    let start = Instant::now();
    let opening = Kzg::open(&key, &row, &field, &point, &mut Transcript::new("speed")).expect("fits");
    each("open", count, start);
    let value = field.iter().enumerate().map(|(i, v)| *v * weight(&point, i)).sum();
    let start = Instant::now();
    assert!(Kzg::verify(&verifier, &row, &point, &value, &opening, &mut Transcript::new("speed")));
    each("verify", 1, start);
}

fn weight(point: &[Fr], index: usize) -> Fr {
    point.iter().rev().enumerate().map(|(bit, u)| if index >> bit & 1 == 1 { *u } else { Fr::from(1u8) - u }).product()
}
