// SPDX-License-Identifier: MIT OR Apache-2.0
//! A saved program proved once, as JSON for whoever verifies on chain: plan, context, statement, proof.
//!
//! `cargo run --release -p plan --example record -- FOLDER INPUTS > proof.json`, INPUTS being a JSON list of flat lists of integers.

use commitment::{Kzg, Srs};
use program::Program;
use protocol::{prove, verify};
use relation::System;
use serde_json::json;

type Word = [u8; 32];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().ok_or("which program?")?;
    let inputs: Vec<Vec<i64>> = serde_json::from_slice(&std::fs::read(arguments.next().ok_or("which inputs?")?)?)?;
    let read = |name: &str| std::fs::read(format!("{folder}/{name}"));
    let program = Program::read(&read("program.json")?, &read("weights.safetensors")?).map_err(|error| error.0)?;
    let mut srs = None;
    let made = compiler::setup::<Kzg>(&program, [0; 32], 1, [0; 32], |n| {
        let made = Srs::unsafe_from_seed(n as u32, b"example, UNSAFE")?;
        let key = made.prover_key(n as u32);
        srs = Some(made);
        key
    });
    let (key, committer) = made.map_err(|error| format!("{error:?}"))?;
    let srs = srs.ok_or("no reference string")?;
    let (statement, words) = prove(&key, &committer, [0; 32], inputs).map_err(|error| format!("{error:?}"))?;
    verify(&key.verifier, &srs.verifier_key(), &statement, &words).map_err(|fault| format!("{fault:?}"))?;
    let system = &key.verifier.system;
    let values = statement.inputs.iter().chain(&statement.outputs).zip(system.inputs.iter().chain(&system.outputs));
    let public: Vec<Word> = values.flat_map(|(values, id)| packed(values, system, *id)).collect();
    let plan = plan::plan(&key.verifier, srs.tau_words());
    eprintln!("{}", plan::summary(&plan));
    let answer = json!({
        "plan": hex(&plan), "context": hex(&[0; 32]), "statement": hexed(&public), "proof": hexed(&words),
    });
    println!("{answer}");
    Ok(())
}

/// As the statement is absorbed.
fn packed(values: &[i64], system: &System, id: usize) -> Vec<Word> {
    let tensor = &system.tensors[id];
    let width = if tensor.low >= 0 && tensor.high < 256 { 1 } else { 8 };
    let bytes: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes().into_iter().take(width)).collect();
    bytes.chunks(32).map(|chunk| std::array::from_fn(|i| chunk.get(i).copied().unwrap_or(0))).collect()
}

fn hexed(words: &[Word]) -> Vec<String> {
    words.iter().map(|word| hex(word)).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::from("0x"), |text, byte| format!("{text}{byte:02x}"))
}
