// SPDX-License-Identifier: MIT OR Apache-2.0
//! tests/vectors/transcript.json, which Python and Solidity read too. If a meaning changed on purpose: `make vectors`.

use serde_json::Value;
use transcript::Transcript;

const VECTORS: &str = include_str!("../../../../../tests/vectors/transcript.json");

fn word(value: &Value) -> [u8; 32] {
    let digits = value.as_str().unwrap().strip_prefix("0x").unwrap();
    let byte = |place| u8::from_str_radix(&digits[2 * place..2 * place + 2], 16).unwrap();
    assert_eq!(digits.len(), 64);
    std::array::from_fn(byte)
}

/// Labels are `&'static str` in code; those of a file live as long as the test.
fn text(value: &Value) -> &'static str {
    Box::leak(value.as_str().unwrap().to_owned().into_boxed_str())
}

#[test]
fn transcript_of_every_vector_gives_its_states_and_challenges() {
    let vectors: Value = serde_json::from_str(VECTORS).unwrap();
    for (name, vector) in vectors.as_object().unwrap() {
        let list = |field: &str| vector[field].as_array().unwrap().clone();
        let (mut words, mut challenges) = (list("words").into_iter(), list("challenges").into_iter());
        let mut transcript = Transcript::new(text(&vector["domain"]));
        let states = list("states");
        assert_eq!(transcript.state(), word(&states[0]), "{name}");
        for ((label, count), state) in list("labels").iter().zip(list("counts")).zip(&states[1..]) {
            match count.as_i64().unwrap() {
                -1 => {
                    assert_eq!(field::to_bytes(&transcript.challenge(text(label))), word(&challenges.next().unwrap()), "{name}")
                }
                count => transcript
                    .absorb_words(text(label), &words.by_ref().take(count as usize).map(|w| word(&w)).collect::<Vec<_>>()),
            }
            assert_eq!(transcript.state(), word(state), "{name}");
        }
        assert!(words.next().is_none() && challenges.next().is_none(), "{name}");
    }
    assert!(vectors.as_object().unwrap().len() > 10);
}

#[test]
fn absorbed_scalars_are_their_words() {
    let (mut scalars, mut words) = (Transcript::new("domain"), Transcript::new("domain"));
    scalars.absorb_scalars("scalars", &[field::from_i64(-1)]);
    words.absorb_words("scalars", &[field::to_bytes(&field::from_i64(-1))]);
    assert_eq!(scalars, words);
}
