// SPDX-License-Identifier: MIT OR Apache-2.0
//! Proves a saved program on given inputs, verifies, and says what each took:
//! `cargo run --release --example prove -- FOLDER INPUTS`, where INPUTS is a JSON list of flat lists of integers, one an input.
//! An optional third argument repeats the inputs so many times in one proof.

use commitment::{Kzg, Srs};
use program::Program;
use protocol::{prove, verify};
use std::sync::Mutex;
use std::time::{Duration, Instant};

fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let start = Instant::now();
    (work(), start.elapsed())
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().ok_or("which program?")?;
    let inputs: Vec<Vec<i64>> = serde_json::from_slice(&std::fs::read(arguments.next().ok_or("which inputs?")?)?)?;
    let batch: usize = arguments.next().map_or(Ok(1), |count| count.parse())?;
    let read = |name: &str| std::fs::read(format!("{folder}/{name}"));
    let program = Program::read(&read("program.json")?, &read("weights.safetensors")?).map_err(|error| error.0)?;
    let mut srs = None;
    let (made, setup) = timed(|| {
        compiler::setup::<Kzg>(&program, [0; 32], batch, [0; 32], |n| {
            let made = Srs::unsafe_from_seed(n as u32, b"example, UNSAFE")?;
            let key = made.prover_key(n as u32);
            srs = Some(made);
            key
        })
    });
    let (key, committer) = made.map_err(|error| format!("{error:?}"))?;
    let verifier = srs.ok_or("no reference string")?.verifier_key();
    let layout = &key.verifier.layout;
    println!(
        "rows {} of 2^{}, lookups 2^{}, table entries 2^{}",
        layout.rows.len(),
        layout.row_bits,
        layout.lookup_bits,
        layout.table_bits
    );
    println!("set up {setup:.2?}");
    let inputs: Vec<Vec<i64>> = inputs.iter().map(|values| values.repeat(batch)).collect();
    for run in 0..3 {
        let times = Mutex::new(Vec::from([("", Instant::now())]));
        let told = |stage: &'static str| {
            times.lock().is_ok_and(|mut times| {
                times.push((stage, Instant::now()));
                true
            })
        };
        let (proved, proving) = timed(|| prove(&key, &committer, [0; 32], inputs.clone(), &told));
        let mut times = times.into_inner()?;
        times.push(("", Instant::now()));
        for stage in times.windows(2).skip(1).filter(|_| run == 2) {
            println!("    {:26} {:>10.2?}", stage[0].0, stage[1].1 - stage[0].1);
        }
        let (statement, words) = proved.map_err(|error| format!("{error:?}"))?;
        let (verdict, verifying) = timed(|| verify(&key.verifier, &verifier, &statement, &words));
        verdict.map_err(|fault| format!("{fault:?}"))?;
        let shown: Vec<i64> = statement.outputs.concat().into_iter().take(10).collect();
        println!("proved in {proving:.2?}, {} bytes, verified in {verifying:.2?}: {shown:?}", words.len() * 32);
    }
    Ok(())
}
