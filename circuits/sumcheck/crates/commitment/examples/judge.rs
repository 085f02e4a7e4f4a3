// SPDX-License-Identifier: MIT OR Apache-2.0
//! Openings judged, one a line of standard input: words in hex with a space between, row (2), value, point (as many as are left), opening (22).
//!
//! Answers `holds`, `fails` or `malformed`, under the key and the transcript of the example `openings`.

use commitment::{Commitment, Kzg, Srs};
use std::io::{BufRead, stdin};
use transcript::Transcript;

type Word = [u8; 32];

fn main() {
    let key = Srs::unsafe_from_seed(1, b"openings").expect("a size that exists").verifier_key();
    for line in stdin().lock().lines() {
        let words: Vec<Word> = line.expect("text").split(' ').map(|digits| word(digits).expect("64 hex digits")).collect();
        println!("{}", verdict(&key, &words));
    }
}

fn verdict(key: &<Kzg as Commitment>::VerifierKey, words: &[Word]) -> &'static str {
    let read = || {
        let (row, rest) = words.split_at_checked(2)?;
        let (value, rest) = rest.split_first()?;
        let (point, opening) = rest.split_at_checked(rest.len().checked_sub(22)?)?;
        let point = point.iter().map(field::from_bytes).collect::<Option<Vec<_>>>()?;
        Some((Kzg::row_from_words(row)?, field::from_bytes(value)?, Kzg::opening_from_words(point.len(), opening)?, point))
    };
    match read() {
        None => "malformed",
        Some((row, value, opening, point)) => {
            match Kzg::verify(key, &row, &point, &value, &opening, &mut Transcript::new("openings")) {
                true => "holds",
                false => "fails",
            }
        }
    }
}

fn word(digits: &str) -> Option<Word> {
    let bytes: Option<Vec<u8>> = (0..32).map(|i| u8::from_str_radix(digits.get(2 * i..2 * i + 2)?, 16).ok()).collect();
    bytes?.try_into().ok()
}
