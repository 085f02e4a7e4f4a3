// SPDX-License-Identifier: MIT OR Apache-2.0
//! Claims on tensors, pulled back along linear definitions until they speak of commitments and of products.

#![deny(clippy::indexing_slicing)]

use crate::system::{Form, System, TensorId};
use crate::weights::Factor;
use field::Fr;
use std::collections::BTreeMap;

/// coefficient * sum of weights * tensor: a part of a sum whose value is claimed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// See above.
    pub coefficient: Fr,
    /// Which tensor.
    pub tensor: TensorId,
    /// In the order of its bits.
    pub weights: Vec<Factor>,
}

/// What a sum of claims is: a constant, commitments, products.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expansion {
    /// Known to both sides.
    pub constant: Fr,
    /// On what is committed, without its base, and on constants.
    pub stored: Vec<Claim>,
    /// On `Product` and `Conv`: the next sumcheck's.
    pub products: Vec<Claim>,
}

/// Pulls claims back. `None` if one does not fit its tensor, or the system refers forward.
pub fn expand(system: &System, claims: Vec<Claim>) -> Option<Expansion> {
    let mut waiting: BTreeMap<TensorId, Vec<Claim>> = BTreeMap::new();
    let mut result = Expansion::default();
    claims.into_iter().for_each(|claim| merge(&mut waiting, claim));
    while let Some((id, claims)) = waiting.pop_last() {
        let tensor = system.tensors.get(id)?;
        for claim in claims {
            if claim.weights.iter().map(Factor::bits).sum::<usize>() != tensor.bits() {
                return None;
            }
            match &tensor.form {
                Form::Committed { base } => {
                    let total: Fr = claim.weights.iter().map(Factor::sum).product();
                    result.constant += claim.coefficient * total * Fr::from(*base);
                    result.stored.push(claim);
                }
                Form::Constant => result.stored.push(claim),
                Form::Given => return None,
                Form::Product(_) | Form::Conv(_) => result.products.push(claim),
                Form::Linear(linear) => {
                    let (constant, parts) = linear.pull_back(&claim)?;
                    result.constant += constant;
                    for part in parts {
                        (part.tensor < id).then_some(())?;
                        merge(&mut waiting, part);
                    }
                }
            }
        }
    }
    Some(result)
}

/// Two claims with the same weights on the same tensor are one.
fn merge(waiting: &mut BTreeMap<TensorId, Vec<Claim>>, claim: Claim) {
    let known = waiting.entry(claim.tensor).or_default();
    match known.iter_mut().find(|other| other.weights == claim.weights) {
        Some(other) => other.coefficient += claim.coefficient,
        None => known.push(claim),
    }
}
