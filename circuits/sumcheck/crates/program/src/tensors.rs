// SPDX-License-Identifier: MIT OR Apache-2.0
//! The safetensors format, as far as programs use it: u8, i16, i32, i64, little endian, C order.

use crate::{Constant, Malformed};
use serde_json::Value;
use std::collections::HashMap;

/// Every tensor by its name.
pub fn read(bytes: &[u8]) -> Result<HashMap<String, Constant>, Malformed> {
    let broken = || Malformed("the weights are no safetensors file".to_owned());
    let (length, rest) = bytes.split_first_chunk::<8>().ok_or_else(broken)?;
    let length = usize::try_from(u64::from_le_bytes(*length)).map_err(|_| broken())?;
    let (header, data) = rest.split_at_checked(length).ok_or_else(broken)?;
    let header: HashMap<String, Value> = serde_json::from_slice(header).map_err(|_| broken())?;
    let entries = header.into_iter().filter(|(name, _)| name != "__metadata__");
    entries.map(|(name, entry)| tensor(&entry, data).map(|tensor| (name, tensor)).ok_or_else(broken)).collect()
}

fn tensor(entry: &Value, data: &[u8]) -> Option<Constant> {
    let numbers = |name: &str| -> Option<Vec<usize>> {
        entry[name].as_array()?.iter().map(|v| v.as_u64().and_then(|v| usize::try_from(v).ok())).collect()
    };
    let shape = numbers("shape")?;
    let own = match numbers("data_offsets")?[..] {
        [start, end] => data.get(start..end)?,
        _ => return None,
    };
    let values: Vec<i64> = match entry["dtype"].as_str()? {
        "U8" => own.iter().map(|v| i64::from(*v)).collect(),
        "I16" => own.as_chunks().0.iter().map(|v| i64::from(i16::from_le_bytes(*v))).collect(),
        "I32" => own.as_chunks().0.iter().map(|v| i64::from(i32::from_le_bytes(*v))).collect(),
        "I64" => own.as_chunks().0.iter().map(|v| i64::from_le_bytes(*v)).collect(),
        _ => return None,
    };
    (values.len() == shape.iter().product::<usize>()).then_some(Constant { shape, values })
}
