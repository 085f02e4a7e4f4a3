// SPDX-License-Identifier: MIT OR Apache-2.0
//! Instructions of the machine in `challenge/src/sumcheck/Machine.sol`, and how they become bytes.
//!
//! Registers hold scalars and are written once; constants come first. An instruction has 16 bytes: code u8, registers d, a, b u24,
//! count n u16, immediate u32. The bytes of a plan: a header of 8 u32 (version, constants, registers, bytes of data, instructions, words
//! of the statement, words of the proof, inputs at once), the key's digest, the reference string's secret in the second group (4 words), data, instructions, constants of 32 bytes.

use field::Fr;
use std::collections::HashMap;

/// Of the bytes and of what instructions mean.
pub const VERSION: u32 = 1;

/// What an instruction does. `R[x..n]` are n registers from x on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Op {
    /// R[d + i] = R[a] R[b] for n pairs in the data from imm on: (a, b) as 32 times themselves, u24 each. One by one, so later ones may read
    Mul = 1,
    /// R[d + n - 1] = R[d - 1] + the sum of R[a] R[b] for n such pairs: the sum before it stands in the register before it
    Add = 2,
    /// R[d..n] = R[a..n]
    Copy = 3,
    /// R[d] = eq(R[a..n], R[b..n])
    Eq = 4,
    /// R[d..n] = 1 - R[a..n]
    Complement = 5,
    /// R[d] = sum of eq(R[a..n], i) over i < imm
    Prefix = 6,
    /// R[d] = sum of eq(R[a..n], i) eq(R[b..n], i) over i < imm
    EqPrefix = 7,
    /// R[d] = min(i, imm) at R[a..n]
    Ramp = 8,
    /// R[d..2^n] = eq(R[a..n], .)
    Table = 9,
    /// R[d] = the table R[b..2^n] at R[a..n]
    Evaluate = 10,
    /// R[d] = sum of R[a..n] R[b..n]
    Dot = 11,
    /// R[d + i] += R[a + o] for n pairs (o u16, i u16) in the data from imm on; R[d..] was zero
    Map = 12,
    /// R[d..n] = R[a..n] times n signed integers of 8 bytes in the data from imm on
    Scale = 13,
    /// R[d] = sum of R[a..n] times such integers
    DotData = 14,
    /// R[d + i n + j] = R[a + i] R[b + j], for imm of i and n of j
    Outer = 15,
    /// R[d] = the sum of R[a..n]
    Sum = 17,
    /// R[d] = sum of R[a + h] R[a + i] R[b + j] R[b + k], of n times (h, i, j, k) in the data from imm on, each 32 times itself as u16
    PairDot = 18,
    /// R[d + k] = P(R[a..], k, R[b..]); in the data from imm on 8 u32: bits of a, of b, outputs, inputs, taps, stride, dilation, pad
    Window = 16,
    /// R[d..n] are the next n words of the proof, scalars, absorbed under label imm
    Read = 32,
    /// R[d..n] are challenges of label imm
    Draw = 33,
    /// n rounds of degree imm on the claim R[a]: R[d..n] is the point, R[d + n] the value left
    Rounds = 34,
    /// n rounds of the lookup argument, its tau R[a..n]: likewise
    LookupRounds = 35,
    /// R[d] = R[a] prod(R[b] - f_i) - sum of n_i prod of the others, f = R[a + 1..8], n = R[a + 9..8], or ones if imm is 0
    Defect = 36,
    /// R[a] = R[b], or the proof is rejected for reason imm
    Same = 37,
    /// The next n points of the proof, absorbed under label imm; R[d] is where they are
    Points = 38,
    /// The folded row += R[a + i] * (point i from imm on) for n points: of the proof from R[b] on, or of the data if b is 0
    Fold = 39,
    /// The folded row opens to R[b] at R[a..n]
    Opening = 40,
    /// Absorbs the next n words of the statement under label imm; R[d] is where they are
    Public = 41,
    /// R[d] = sum of R[a..n] and R[b..inner] times the integers of the statement from R[d - 1] on, in C order; in the data from imm on 2 u32:
    /// bytes of an integer, 1 or 8, or 16 for sixteen bytes that are weighed as one integer; inner
    PublicValue = 42,
}

/// A register: one of the constants, or one that an instruction wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Reg {
    /// By number.
    Constant(usize),
    /// By number, behind the constants.
    Written(usize),
}

impl Reg {
    /// The register so many places on.
    pub fn plus(self, more: usize) -> Self {
        match self {
            Reg::Constant(place) => Reg::Constant(place + more),
            Reg::Written(place) => Reg::Written(place + more),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Instruction {
    op: Op,
    a: Reg,
    b: Reg,
    n: usize,
    imm: usize,
}

/// A plan that is being written. What was computed once is not computed again.
pub struct Writer {
    constants: Vec<Fr>,
    data: Vec<u8>,
    written: HashMap<Vec<u8>, usize>,
    code: Vec<(Reg, Instruction)>,
    registers: usize,
    known: HashMap<(Instruction, usize), Reg>,
    copies: HashMap<Vec<Reg>, Reg>,
    points: Vec<(Reg, usize)>,
    /// Words of the statement, and of the proof.
    pub words: (usize, usize),
}

impl Default for Writer {
    fn default() -> Self {
        let (known, copies) = (HashMap::new(), HashMap::new());
        Self {
            constants: vec![],
            data: vec![],
            written: HashMap::new(),
            code: vec![],
            registers: 0,
            known,
            copies,
            points: vec![],
            words: (0, 0),
        }
    }
}

impl Writer {
    /// A constant.
    pub fn constant(&mut self, value: Fr) -> Reg {
        let known = self.constants.iter().position(|other| *other == value);
        Reg::Constant(known.unwrap_or_else(|| {
            self.constants.push(value);
            self.constants.len() - 1
        }))
    }

    /// A small constant.
    pub fn integer(&mut self, value: i64) -> Reg {
        self.constant(Fr::from(value))
    }

    fn value(&self, reg: Reg) -> Option<Fr> {
        if let Reg::Constant(place) = reg { self.constants.get(place).copied() } else { None }
    }

    /// Bytes that instructions read; where they stand. The same bytes stand once.
    pub fn data(&mut self, bytes: &[u8]) -> usize {
        if let Some(place) = self.written.get(bytes) {
            return *place; // so that instructions on the same data are the same instruction
        }
        let place = self.data.len();
        self.data.extend(bytes);
        self.written.insert(bytes.to_vec(), place);
        place
    }

    /// An instruction that writes `size` registers, unless it was there before. One of no data reads the same data as any other such one, and
    /// need not write as many.
    pub fn pure(&mut self, op: Op, a: Reg, b: Reg, n: usize, imm: usize, size: usize) -> Reg {
        let once = (Instruction { op, a, b, n, imm }, size);
        if let Some(reg) = self.known.get(&once) {
            return *reg;
        }
        let reg = self.effect(op, a, b, n, imm, size);
        self.known.insert(once, reg);
        reg
    }

    /// An instruction that is done each time.
    pub fn effect(&mut self, op: Op, a: Reg, b: Reg, n: usize, imm: usize, size: usize) -> Reg {
        let reg = self.reserve(size);
        if matches!(op, Op::Draw | Op::Rounds | Op::LookupRounds) {
            self.points.push((reg, n));
        }
        self.code.push((reg, Instruction { op, a, b, n, imm }));
        reg
    }

    /// Registers that nothing has written yet: zeros.
    pub fn reserve(&mut self, size: usize) -> Reg {
        self.registers += size;
        Reg::Written(self.registers - size)
    }

    /// a b.
    pub fn mul(&mut self, a: Reg, b: Reg) -> Reg {
        let one = Fr::from(1u64);
        match (self.value(a), self.value(b)) {
            (Some(x), Some(y)) => self.constant(x * y),
            (Some(x), None) if x == one => b,
            (None, Some(y)) if y == one => a,
            _ if a <= b => self.pure(Op::Mul, a, b, 0, 0, 1),
            _ => self.pure(Op::Mul, b, a, 0, 0, 1),
        }
    }

    /// The sum of all coefficient * value, in registers that follow one another.
    pub fn sum(&mut self, terms: &[(Reg, Reg)]) -> Reg {
        let zero = Fr::from(0u64);
        let mut constant = zero;
        let mut open = Vec::new();
        for (a, b) in terms {
            match (self.value(*a), self.value(*b)) {
                (Some(x), Some(y)) => constant += x * y,
                (Some(x), _) | (_, Some(x)) if x == zero => {}
                _ => open.push((*a, *b)),
            }
        }
        if open.is_empty() {
            return self.constant(constant);
        }
        if let ([(a, b)], true) = (&open[..], constant == zero) {
            return self.mul(*a, *b);
        }
        let begin = self.constant(constant);
        let mut total = if constant == zero { self.reserve(1) } else { self.effect(Op::Copy, begin, begin, 1, 0, 1) };
        for (a, b) in open {
            total = self.effect(Op::Add, a, b, 0, 0, 1);
        }
        total
    }

    /// 1 - a.
    pub fn complement(&mut self, a: Reg) -> Reg {
        if let Some(value) = self.value(a) {
            return self.constant(Fr::from(1u64) - value);
        }
        let around = |(first, size): &&(Reg, usize)| (0..*size).any(|place| first.plus(place) == a);
        let (first, size) = self.points.iter().find(around).copied().unwrap_or((a, 1)); // of its whole point at once
        let place = (0..size).find(|place| first.plus(*place) == a).unwrap_or(0);
        self.pure(Op::Complement, first, first, size, 0, size).plus(place)
    }

    /// a + c b.
    pub fn add(&mut self, a: Reg, c: i64, b: Reg) -> Reg {
        let (one, c) = (self.integer(1), self.integer(c));
        self.sum(&[(one, a), (c, b)])
    }

    /// These registers side by side.
    pub fn range(&mut self, parts: &[Reg]) -> Reg {
        let Some(first) = parts.first() else { return Reg::Written(0) };
        if parts.iter().enumerate().all(|(place, part)| *part == first.plus(place)) {
            return *first;
        }
        if let Some(copy) = self.copies.get(parts) {
            return *copy;
        }
        let all = self.reserve(parts.len());
        let (zero, mut from) = (self.integer(0), 0);
        while from < parts.len() {
            let run = parts[from..].iter().enumerate().take_while(|(place, part)| **part == parts[from].plus(*place)).count();
            if parts[from] == zero {
                from += 1; // registers begin as zeros
                continue;
            }
            self.code.push((all.plus(from), Instruction { op: Op::Copy, a: parts[from], b: parts[from], n: run, imm: 0 }));
            from += run;
        }
        self.copies.insert(parts.to_vec(), all);
        all
    }

    /// The plan.
    pub fn finish(self, digest: [u8; 32], tau: [[u8; 32]; 4], batch: usize) -> Vec<u8> {
        let constants = self.constants.len();
        let place = |reg: Reg| match reg {
            Reg::Constant(place) => place,
            Reg::Written(place) => constants + place,
        };
        let (code, data) = joined(&self.code, self.data, &place);
        let header = [
            VERSION as usize,
            self.constants.len(),
            self.constants.len() + self.registers,
            data.len(),
            code.len(),
            self.words.0,
            self.words.1,
            batch,
        ];
        let mut bytes: Vec<u8> = header.iter().flat_map(|field| exact::<4>(*field)).collect();
        bytes.extend(digest);
        bytes.extend(tau.concat());
        bytes.extend(&data);
        for (d, Instruction { op, a, b, n, imm }) in &code {
            bytes.push(*op as u8);
            [*d, *a, *b].iter().for_each(|reg| bytes.extend(exact::<3>(place(*reg))));
            bytes.extend(exact::<2>(*n));
            bytes.extend(exact::<4>(*imm));
        }
        self.constants.iter().for_each(|value| bytes.extend(field::to_bytes(value)));
        bytes
    }
}

/// An integer in so many bytes, the highest first. Panics on one that they do not hold: a contract would read a smaller one, and check less.
pub(crate) fn exact<const N: usize>(value: usize) -> [u8; N] {
    let bytes = (value as u64).to_be_bytes();
    let (above, own) = bytes.split_last_chunk::<N>().expect("at most eight");
    assert!(above.iter().all(|byte| *byte == 0), "no plan has {value} in {N} bytes");
    *own
}

/// Products and sums that follow one another, as one instruction whose operands stand in the data.
fn joined(code: &[(Reg, Instruction)], mut data: Vec<u8>, place: &impl Fn(Reg) -> usize) -> (Vec<(Reg, Instruction)>, Vec<u8>) {
    let (mut short, mut from) = (Vec::new(), 0);
    while let Some((d, first)) = code.get(from) {
        let alike = |(i, (own, other)): (usize, &(Reg, Instruction))| other.op == first.op && *own == d.plus(i);
        let run = if matches!(first.op, Op::Mul | Op::Add) {
            code[from..].iter().take(u16::MAX as usize).enumerate().take_while(|item| alike(*item)).count()
        } else {
            short.push((*d, *first));
            from += 1;
            continue;
        };
        let imm = data.len();
        for (_, Instruction { a, b, .. }) in &code[from..from + run] {
            [*a, *b].iter().for_each(|reg| data.extend(exact::<3>(32 * place(*reg))));
        }
        short.push((*d, Instruction { n: run, imm, ..*first }));
        from += run;
    }
    (short, data)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_written_whole() {
        assert_eq!(exact::<2>(0xfedc), [0xfe, 0xdc]);
        assert_eq!(exact::<3>((1 << 24) - 1), [0xff; 3]);
    }

    #[test]
    #[should_panic(expected = "no plan has 65536 in 2 bytes")]
    fn an_integer_that_does_not_fit_is_never_cut() {
        exact::<2>(1 << 16);
    }

    /// Rows of a public tensor, runs included: a contract that read fewer would check fewer.
    #[test]
    #[should_panic(expected = "no plan has 65536 in 2 bytes")]
    fn an_instruction_that_counts_further_than_its_field_has_no_plan() {
        let mut plan = Writer::default();
        let one = plan.integer(1);
        plan.effect(Op::PublicValue, one, one, 1 << 16, 0, 1);
        plan.finish([0; 32], [[0; 32]; 4], 1);
    }
}
