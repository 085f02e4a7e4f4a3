// SPDX-License-Identifier: MIT OR Apache-2.0
//! Writes every forgery to the standard output as JSON, by the name of its file: {"activation": [{"name", "key", …}, …], …}.

use forgeries::Forgery;
use serde_json::{Map, Value};

fn main() {
    let group = |make: fn() -> Vec<Forgery>| Value::Array(make().iter().map(Forgery::json).collect());
    let all: Map<String, Value> =
        forgeries::forgeries::ALL.iter().map(|(name, make)| ((*name).to_owned(), group(*make))).collect();
    println!("{}", Value::Object(all));
}
