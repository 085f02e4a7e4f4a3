// SPDX-License-Identifier: MIT OR Apache-2.0
//! The lookup argument: every lookup is an entry of the tables. Rule 61.
//!
//! In: fingerprints f of lookups and T of table entries, multiplicities m, each 8 * 2^n scalars, sub-cube b being the part whose
//! three highest bits are b. With a challenge alpha and one committed helper for eight,
//!
//! `h = sum over b of 1 / (alpha - f_b)`, `g = sum over b of m_b / (alpha - T_b)`, `sum h = sum g`
//!
//! shows that the f are among the T with these multiplicities (Haböck 2022). Here the first two, multiplied out, are zero-checked:
//! degree 9. The third is a linear claim on h and g, the caller's. Out: claims on h, f, g, T, m at one point, the caller's too.

#![deny(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod prove;
mod verify;

pub use prove::{Side, Vanishing, helper, prove};
pub use verify::{Finals, verify};

pub use lanes::GROUP;
/// Of a round polynomial, eq factored out.
const DEGREE: usize = GROUP + 1;

#[cfg(test)]
mod tests {
    use super::*;
    use field::Fr;
    use sumcheck::multilinear::evaluate;
    use sumcheck::{Fault, Reader, Writer};
    use transcript::Transcript;

    fn fr(value: usize) -> Fr {
        Fr::from(value as u64)
    }

    /// 2^8 lookups of i^2 % 13, and 16 entries with multiplicities; `lie` is added to the first lookup after counting.
    fn sides(alpha: Fr, lie: usize) -> (Side, Side, [Vec<Fr>; 3]) {
        let mut f: Vec<Fr> = (0..256).map(|i| fr(i * i % 13)).collect();
        let t: Vec<Fr> = (0..16).map(fr).collect();
        let m: Vec<Fr> = t.iter().map(|entry| fr(f.iter().filter(|value| *value == entry).count())).collect();
        f[0] += fr(lie);
        let lookups = Side::new(&f, None, &alpha).expect("no denominator vanishes");
        let tables = Side::new(&t, Some(&m), &alpha).expect("no denominator vanishes");
        (lookups, tables, [f, t, m])
    }

    fn run(lie: usize) -> (Vec<[u8; 32]>, bool) {
        let alpha = fr(1_000_003);
        let (lookups, tables, _) = sides(alpha, lie);
        let balanced = lookups.helper.iter().sum::<Fr>() == tables.helper.iter().sum::<Fr>();
        let mut proof = Writer::new(Transcript::new("test"));
        let tau = proof.point("tau", 5);
        prove(lookups, tables, &tau, &fr(77), &mut proof);
        (proof.finish().0, balanced)
    }

    fn check(words: &[[u8; 32]]) -> Result<(Vec<Fr>, Finals), Fault> {
        let mut proof = Reader::new(words, Transcript::new("test"));
        let tau = proof.point("tau", 5);
        let done = verify(5, 1, &tau, &fr(77), &fr(1_000_003), &mut proof)?;
        proof.finish().map(|_| done)
    }

    #[test]
    fn honest_lookups_end_in_true_claims() {
        let (words, balanced) = run(0);
        assert!(balanced);
        let (point, finals) = check(&words).expect("accepted");
        let (lookups, tables, [f, t, m]) = sides(fr(1_000_003), 0);
        let low = &point[4..];
        assert_eq!(finals.h, evaluate(&lookups.helper, &point));
        assert_eq!(finals.g, evaluate(&tables.helper, low));
        for b in 0..GROUP {
            assert_eq!(finals.f[b], evaluate(&f[b * 32..][..32], &point));
            assert_eq!(finals.t[b], evaluate(&t[b * 2..][..2], low));
            assert_eq!(finals.m[b], evaluate(&m[b * 2..][..2], low));
        }
    }

    #[test]
    fn a_lookup_outside_of_the_table_leaves_the_sums_apart() {
        assert!(!run(100).1);
    }

    #[test]
    fn any_changed_word_is_refused() {
        let (words, _) = run(0);
        for place in 0..words.len() {
            let mut forged = words.clone();
            forged[place][31] ^= 1;
            assert!(matches!(check(&forged), Err(Fault::Rejected(_) | Fault::Malformed(_))), "word {place}");
        }
        assert!(matches!(check(&words[1..]), Err(Fault::Malformed(_))));
    }

    #[test]
    fn a_vanishing_denominator_is_an_error() {
        assert!(Side::new(&[fr(3); 8], None, &fr(3)).is_err());
    }
}
