// SPDX-License-Identifier: MIT OR Apache-2.0
//! isqrt: r = floor(sqrt(x)). Rule 67.
//!
//! x = r^2 + d with d in [0, 2r]: r, d and 2r - d are all at least 0, in limbs.

use crate::affine::{same, vanish};
use crate::lowering::{Failure, Lowering};
use crate::mul::pairwise;
use program::Operator;
use relation::{Recipe, TensorId};

/// See above.
pub(crate) fn lower(lowering: &mut Lowering, operator: &Operator) -> Result<TensorId, Failure> {
    let (x, shape) = lowering.tensor(operator, 0)?;
    let system = &mut lowering.system;
    if system.tensors[x].low < 0 {
        return Err(Failure("its padding can be negative".to_owned()));
    }
    let most = system.tensors[x].high.isqrt().max(1);
    let r = system.commit_natural(&shape, most, Recipe::map(x, i64::isqrt));
    let d = system.commit_natural(&shape, 2 * most, Recipe::map(x, |x| x - x.isqrt() * x.isqrt()));
    let slack = system.commit_natural(&shape, 2 * most, Recipe::map(x, |x| 2 * x.isqrt() + x.isqrt() * x.isqrt() - x));
    let (square, _) = pairwise(system, &shape, (r, &shape, 0), (r, &shape, 0));
    let terms = vec![same(system, 1, x), same(system, -1, square), same(system, -1, d)];
    vanish(system, &shape, terms, 0);
    let terms = vec![same(system, 2, r), same(system, -1, d), same(system, -1, slack)];
    vanish(system, &shape, terms, 0);
    Ok(r)
}
