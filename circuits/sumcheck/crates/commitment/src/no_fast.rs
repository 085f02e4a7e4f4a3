// SPDX-License-Identifier: MIT OR Apache-2.0
//! Processors that have no such way.

use crate::adder::{Adder, Pair};
use ark_bn254::G1Affine;

/// None.
#[derive(Clone, Debug)]
pub enum Fast {}

impl Fast {
    /// `None`.
    pub fn new(_: &[G1Affine]) -> Option<Self> {
        None
    }
}

impl Adder for Fast {
    type Point = G1Affine;

    fn points(&self) -> &[G1Affine] {
        match *self {}
    }

    fn add(&self, _: &mut [G1Affine], _: &[Pair], _: &[G1Affine], _: u32) -> Option<()> {
        match *self {}
    }

    fn signed(point: &G1Affine, _: bool) -> G1Affine {
        *point
    }

    fn affine(&self, _: &G1Affine) -> G1Affine {
        match *self {}
    }
}
