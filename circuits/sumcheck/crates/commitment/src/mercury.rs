// SPDX-License-Identifier: MIT OR Apache-2.0
//! Mercury (Eagen, Gabizon, eprint 2025/385): a multilinear opened at a point by 8 points and 6 scalars, whatever its size.
//!
//! The 2^n coefficients are b = 2^ceil(n/2) columns; f(X) = sum over rows and columns of f[row][column] X^(b row + column). The point is (u, w),
//! u for rows and w for columns, and E_u(X) the polynomial whose coefficients are eq(., u). Names below are the paper's:
//!
//! - h(X): the rows' values at w, so that <E_u, h> is the value claimed.
//! - f = (X^b - alpha) q + g with deg g < b: g holds the columns' values at alpha, so that <E_w, g> = h(alpha).
//! - s(X): both inner products at once, g(X) E_w(1/X) + g(1/X) E_w(X) + gamma (h(X) E_u(1/X) + h(1/X) E_u(X))
//!   = 2 h(alpha) + 2 gamma value + X s(X) + s(1/X) / X.
//! - d(X) = X^(b-1) g(1/X): exists only if deg g < b.
//!
//! All are checked at zeta and 1/zeta. What is opened at zeta goes into one quotient, t (f and q are long, it is the one long quotient); the short
//! openings at 1/zeta and alpha go into w, and w' shows at a further point z that w is right (Boneh, Drake, Fisch, Gabizon, eprint 2020/081,
//! section 4; every polynomial here has one point, so nothing is interpolated).
//!
//! Of an odd n the polynomial is the lower half of one with n + 1 variables: no more coefficients, no longer reference string.

use crate::Error;
use crate::curve::{g1_from_words, g1_words};
use crate::msm::Points;
use crate::polynomial::{add_scaled, divide_by_linear, eq_table, evaluate, evaluate_eq, symmetric_part};
use ark_bn254::{Bn254, G1Affine, G1Projective, G2Affine};
use ark_ec::{AffineRepr, CurveGroup, pairing::Pairing, scalar_mul::variable_base::VariableBaseMSM};
use ark_ff::{AdditiveGroup, Field, Zero};
use field::Fr;
use rayon::prelude::*;
use std::array;
use transcript::Transcript;

/// Words of an opening: 8 points and 6 scalars, 704 bytes.
pub const WORDS: usize = 22;

/// The points at which the polynomials are looked at; a challenge each.
const ALPHA: &str = "mercury.alpha";
const GAMMA: &str = "mercury.gamma";
const ZETA: &str = "mercury.zeta";
const BETA: &str = "mercury.beta";
const Z: &str = "mercury.z";
const DELTA: &str = "mercury.delta";

/// What a prover sends, in this order; names as above. Never holds the point at infinity once it was read by `from_words`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opening {
    /// Commitments to h, q, g, s, d, t, w, w'.
    points: [G1Affine; 8],
    /// g, h and s, each at zeta and at 1/zeta.
    values: [Fr; 6],
}

impl Opening {
    /// As the proof carries it: the five polynomials, their values, the three quotients.
    pub fn words(&self) -> Vec<[u8; 32]> {
        let (polynomials, quotients) = self.points.split_at(5);
        let points = |points: &[G1Affine]| points.iter().flat_map(g1_words).collect::<Vec<_>>();
        [points(polynomials), self.values.iter().map(field::to_bytes).collect(), points(quotients)].concat()
    }

    /// Reads what `words` wrote: canonical, on the curve, not infinity.
    pub fn from_words(words: &[[u8; 32]]) -> Option<Self> {
        if words.len() != WORDS {
            return None;
        }
        let (polynomials, rest) = words.split_at(10);
        let (values, quotients) = rest.split_at(6);
        let mut points = polynomials.chunks(2).chain(quotients.chunks(2)).map(finite_point);
        let mut values = values.iter().map(field::from_bytes);
        Some(Self {
            points: all(array::from_fn(|_| points.next().flatten()))?,
            values: all(array::from_fn(|_| values.next().flatten()))?,
        })
    }
}

fn finite_point(words: &[[u8; 32]]) -> Option<G1Affine> {
    g1_from_words(words).filter(|point| !point.is_zero())
}

fn all<T: Copy, const N: usize>(items: [Option<T>; N]) -> Option<[T; N]> {
    let found: Vec<T> = items.into_iter().flatten().collect();
    found.try_into().ok()
}

/// Both sides say first what is opened, where, and to which value.
fn absorb_statement(t: &mut Transcript, row: &G1Affine, point: &[Fr], value: &Fr) {
    let words = g1_words(row).into_iter().chain(point.iter().chain([value]).map(field::to_bytes));
    t.absorb_words("mercury.statement", &words.collect::<Vec<_>>());
}

fn absorb_points(t: &mut Transcript, label: &'static str, points: &[G1Affine]) {
    t.absorb_words(label, &points.iter().flat_map(g1_words).collect::<Vec<_>>());
}

/// (u, w), with a zero in front if n is odd.
fn halves(point: &[Fr]) -> (Vec<Fr>, Vec<Fr>) {
    let mut rows = vec![Fr::ZERO; point.len() % 2];
    let (high, low) = point.split_at(point.len() / 2);
    rows.extend(high);
    (rows, low.to_vec())
}

// ---- prover ---------------------------------------------------------------------------------------------------------

/// Opens `f`, to which `row` is the commitment, at `point`.
pub fn open(powers: &Points, row: &G1Affine, f: &[Fr], point: &[Fr], t: &mut Transcript) -> Result<Opening, Error> {
    if point.len() < 2 || 1usize.checked_shl(point.len() as u32) != Some(f.len()) {
        return Err(Error::WrongShape { values: f.len(), coordinates: point.len() });
    }
    let commit = |name, p: &[Fr]| match powers.msm_field(p)? {
        infinity if infinity.is_zero() => Err(Error::Degenerate(name)),
        finite => Ok(finite),
    };
    let (u, w) = halves(point);
    let (eq_u, eq_w) = (eq_table(&u), eq_table(&w));
    let b = eq_w.len();

    let mut h: Vec<Fr> = f.par_chunks(b).map(|row| inner_product(row, &eq_w)).collect();
    h.resize(b, Fr::ZERO); // of an odd n half the rows are not there
    absorb_statement(t, row, point, &inner_product(&h, &eq_u));
    let at_h = commit("h", &h)?;
    absorb_points(t, "mercury.h", &[at_h]);

    let alpha = t.challenge(ALPHA);
    let (q, g) = divide_by_binomial(f, b, &alpha);
    let (at_q, at_g) = (commit("q", &q)?, commit("g", &g)?);
    absorb_points(t, "mercury.qg", &[at_q, at_g]);

    let gamma = t.challenge(GAMMA);
    let s = symmetric_part(&[(&g, &eq_w, Fr::ONE), (&h, &eq_u, gamma)], b).ok_or(Error::Degenerate("s"))?;
    let d: Vec<Fr> = g.iter().rev().copied().collect();
    let (at_s, at_d) = (commit("s", &s)?, commit("d", &d)?);
    absorb_points(t, "mercury.sd", &[at_s, at_d]);

    let zeta = t.challenge(ZETA);
    let inverse = zeta.inverse().ok_or(Error::Degenerate("zeta"))?;
    let mut sent = [&g, &h, &s].into_iter().flat_map(|p| [evaluate(p, &zeta), evaluate(p, &inverse)]);
    let values = array::from_fn(|_| sent.next().unwrap_or_default());
    t.absorb_scalars("mercury.values", &values);

    let beta = t.challenge(BETA);
    let mut long = f.to_vec();
    add_scaled(&mut long, &(alpha - zeta.pow([b as u64])), &q);
    let powers_of_beta = [beta, beta.square(), beta.pow([3]), beta.pow([4])];
    [&g, &h, &s, &d].into_iter().zip(&powers_of_beta).for_each(|(p, c)| add_scaled(&mut long, c, p));
    let at_t = commit("t", &divide_by_linear(&long, &zeta))?;
    let [short, h] = [combine(&[(Fr::ONE, &g), (beta, &h), (beta.square(), &s)]), combine(&[(beta.pow([3]), &h)])];
    let w = combine(&[(Fr::ONE, &divide_by_linear(&short, &inverse)), (Fr::ONE, &divide_by_linear(&h, &alpha))]);
    let at_w = commit("w", &w)?;
    absorb_points(t, "mercury.tw", &[at_t, at_w]);

    let z = t.challenge(Z);
    let at_z = combine(&[(z - alpha, &short), (z - inverse, &h), (-(z - inverse) * (z - alpha), &w)]);
    let at_last = commit("w'", &divide_by_linear(&at_z, &z))?;
    absorb_points(t, "mercury.last", &[at_last]);
    t.challenge(DELTA);
    Ok(Opening { points: [at_h, at_q, at_g, at_s, at_d, at_t, at_w, at_last], values })
}

fn inner_product(a: &[Fr], b: &[Fr]) -> Fr {
    let both = a.len().min(b.len());
    lanes::dot(&a[..both], &b[..both])
}

/// The sum of c p; the first polynomial is the longest.
fn combine(terms: &[(Fr, &[Fr])]) -> Vec<Fr> {
    let mut sum = vec![Fr::ZERO; terms.first().map_or(0, |(_, p)| p.len())];
    terms.iter().for_each(|(c, p)| add_scaled(&mut sum, c, p));
    sum
}

/// Quotient and remainder by X^b - alpha, a row at a time from the highest. Source: the paper, section 5.
fn divide_by_binomial(f: &[Fr], b: usize, alpha: &Fr) -> (Vec<Fr>, Vec<Fr>) {
    let mut carry = vec![Fr::ZERO; b];
    let mut quotient = vec![Fr::ZERO; f.len()];
    for (row, out) in f.chunks(b).zip(quotient.chunks_mut(b)).rev() {
        out.copy_from_slice(&carry);
        carry.copy_from_slice(row);
        lanes::add_scaled(&mut carry, alpha, out);
    }
    (quotient, carry)
}

// ---- verifier -------------------------------------------------------------------------------------------------------

/// Whether the polynomial below `row` has `value` at `point`.
///
/// Assures it in the algebraic group model under q-SDH, with a random oracle and a reference string whose secret nobody knows, except with
/// probability about (2^n + degree) / p. Of a row committed to beyond 2^n values, the first 2^n are what is opened.
pub fn verify(tau: &G2Affine, row: &G1Affine, point: &[Fr], value: &Fr, opening: &Opening, t: &mut Transcript) -> bool {
    sides(row, point, value, opening, t).is_some_and(|(left, right)| {
        let product = Bn254::multi_pairing([left.into_affine(), (-right).into_affine()], [G2Affine::generator(), *tau]);
        product.is_zero()
    })
}

/// (L, R) with e(L, 1) = e(R, tau) if and only if every equation holds. `None` on fewer than 2 coordinates, infinity, or zeta = 0.
fn sides(
    row: &G1Affine,
    point: &[Fr],
    value: &Fr,
    opening: &Opening,
    t: &mut Transcript,
) -> Option<(G1Projective, G1Projective)> {
    let [at_h, at_q, at_g, at_s, at_d, at_t, at_w, at_last] = opening.points;
    let [g, g_inverse, h, h_inverse, s, s_inverse] = opening.values;
    if point.len() < 2 || opening.points.iter().any(G1Affine::is_zero) {
        return None;
    }
    absorb_statement(t, row, point, value);
    absorb_points(t, "mercury.h", &[at_h]);
    let alpha = t.challenge(ALPHA);
    absorb_points(t, "mercury.qg", &[at_q, at_g]);
    let gamma = t.challenge(GAMMA);
    absorb_points(t, "mercury.sd", &[at_s, at_d]);
    let zeta = t.challenge(ZETA);
    t.absorb_scalars("mercury.values", &opening.values);
    let beta = t.challenge(BETA);
    absorb_points(t, "mercury.tw", &[at_t, at_w]);
    let z = t.challenge(Z);
    absorb_points(t, "mercury.last", &[at_last]);
    let delta = t.challenge(DELTA);

    let inverse = zeta.inverse()?;
    let (u, w) = halves(point);
    let zeta_to_b = w.iter().fold(zeta, |power, _| power.square());
    let d = zeta_to_b * inverse * g_inverse;
    let products = g * evaluate_eq(&w, &inverse)
        + g_inverse * evaluate_eq(&w, &zeta)
        + gamma * (h * evaluate_eq(&u, &inverse) + h_inverse * evaluate_eq(&u, &zeta) - value.double());
    let h_alpha = (products - zeta * s - inverse * s_inverse) / Fr::from(2u64);

    // At zeta: f - (zeta^b - alpha) q = g, then g, h, s, d by powers of beta.
    let (beta2, beta3) = (beta.square(), beta.square() * beta);
    let beta4 = beta2.square();
    let at_zeta = g + beta * g + beta2 * h + beta3 * s + beta4 * d;
    // At z: (z - alpha) (short - short(1/zeta)) + beta^3 (z - 1/zeta) (h - h(alpha)) - (z - 1/zeta) (z - alpha) w = 0.
    let (short, long) = (delta * (z - alpha), delta * beta3 * (z - inverse));
    let at_others = short * (g_inverse + beta * h_inverse + beta2 * s_inverse) + long * h_alpha;

    let points = [at_q, at_g, at_h, at_s, at_d, at_t, at_w, at_last, G1Affine::generator()];
    let scalars = [
        alpha - zeta_to_b,
        beta + short,
        beta2 + short * beta + long,
        beta3 + short * beta2,
        beta4,
        zeta,
        -short * (z - inverse),
        delta * z,
        -at_zeta - at_others,
    ];
    Some((G1Projective::msm_unchecked(&points, &scalars) + row, at_last * delta + at_t))
}
