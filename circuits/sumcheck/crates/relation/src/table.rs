// SPDX-License-Identifier: MIT OR Apache-2.0
//! Tables that lookups are entries of: columns that a verifier evaluates itself, or the values of a tensor.

#![deny(clippy::indexing_slicing)]

use crate::system::TensorId;
use field::Fr;
use serde::{Deserialize, Serialize};
use sumcheck::multilinear::{prefix, ramp};

/// One column of 2^bits entries, as a function of the entry's index i.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Column {
    /// clip(start + i, low, high).
    Clip {
        /// The first entry, before it is clipped.
        start: i64,
        /// The least.
        low: i64,
        /// The greatest.
        high: i64,
    },
    /// 1 for i < count, else 0.
    Below {
        /// How many entries are 1.
        count: usize,
    },
    /// A tensor's: a constant's, or what a run computes before the first challenge.
    Values(TensorId),
}

/// A table. Its first column is a `Clip` that rises by 1 an entry from its start, so an entry is found by it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Table {
    /// log2 of its entries.
    pub bits: usize,
    /// What stands in an entry.
    pub columns: Vec<Column>,
}

impl Table {
    /// Exactly the integers of [low, high]; the last one is repeated up to a power of two.
    pub fn range(low: i64, high: i64) -> Self {
        Self { bits: crate::bits((high - low + 1) as usize), columns: vec![Column::Clip { start: low, low, high }] }
    }

    /// Where the entry stands whose first column is `key`.
    pub fn position(&self, key: i64) -> Option<usize> {
        let Some(Column::Clip { start, .. }) = self.columns.first() else { return None };
        usize::try_from(key.checked_sub(*start)?).ok().filter(|place| place >> self.bits == 0)
    }
}

impl Column {
    /// The entry at `i`, unless a tensor holds it.
    pub fn entry(&self, i: usize) -> Option<i64> {
        match self {
            Column::Clip { start, low, high } => Some(start.saturating_add(i as i64).clamp(*low, *high)),
            Column::Below { count } => Some(i64::from(i < *count)),
            Column::Values(_) => None,
        }
    }

    /// The column's extension at a point, unless a tensor holds it.
    pub fn at(&self, point: &[Fr]) -> Option<Fr> {
        match self {
            Column::Clip { start, low, high } => {
                let first = *start.clamp(low, high);
                let bound = |to: &i64| u64::try_from(to.saturating_sub(*start)).unwrap_or(0);
                Some(Fr::from(first) + ramp(point, bound(high)) - ramp(point, bound(low)))
            }
            Column::Below { count } => Some(prefix(point, *count)),
            Column::Values(_) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use sumcheck::multilinear::evaluate;

    proptest! {
        #[test]
        fn closed_columns_equal_their_entries(start in -70i64..70, low in -70i64..70, span in 0i64..70, count in 0usize..70, seed in 1u64..99) {
            let point: Vec<Fr> = (0..5).map(|i| Fr::from(seed * seed + i * 7 + 2)).collect();
            for column in [Column::Clip { start, low, high: low + span }, Column::Below { count }] {
                let entries: Vec<Fr> = (0..32).filter_map(|i| column.entry(i)).map(Fr::from).collect();
                prop_assert_eq!(column.at(&point), Some(evaluate(&entries, &point)));
            }
        }
    }
}
