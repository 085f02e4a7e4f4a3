// SPDX-License-Identifier: MIT OR Apache-2.0
//! What every operator's tensors must satisfy: a claim on one expands to claims that say the same, and padding reaches no valid value.

use field::Fr;
use forgeries::{Cubes, Form, Text, World};
use proptest::prelude::{Just, ProptestConfig, Strategy, any, prop, prop_assert_eq, prop_assume, proptest};
use protocol::forge::on_cubes;
use relation::{Claim, Factor, Form as Defined, TensorId, bits, expand, weights};
use serde_json::{Value, json};

fn point(seed: u64, count: usize) -> Vec<Fr> {
    (0..count as u64).map(|i| Fr::from(seed * seed + 31 * i + 5) * Fr::from(i * i + 1_000_003)).collect()
}

fn summed(weights: &[Factor], values: &[i64], base: i64) -> Fr {
    weights::outer(weights).iter().zip(values).map(|(w, v)| *w * Fr::from(v - base)).sum()
}

/// An equality point, and axis by axis what outputs and sums put on a tensor.
fn weightings(shape: &[usize], seed: u64) -> Vec<Vec<Factor>> {
    let all: usize = shape.iter().map(|size| bits(*size)).sum();
    let each = |of: &dyn Fn(usize, u64) -> Factor| shape.iter().zip(seed..).map(|(size, seed)| of(*size, seed)).collect();
    vec![
        vec![Factor::Eq(point(seed, all))],
        each(&|size, seed| Factor::EqPrefix(point(seed, bits(size)), size)),
        each(&|size, _| Factor::Prefix(bits(size), size)),
    ]
}

/// Every tensor's claims; `None` if the verifier would call the key malformed.
fn holds(world: &World, cubes: &Cubes, id: TensorId, weights: Vec<Factor>) -> Option<bool> {
    let system = &world.key.system;
    let claimed = summed(&weights, &cubes[id], 0);
    let claim = Claim { coefficient: Fr::from(3u64), tensor: id, weights };
    let expansion = expand(system, vec![claim])?;
    let of = |claim: &Claim| {
        let base = if let Defined::Committed { base } = system.tensors[claim.tensor].form { base } else { 0 };
        claim.coefficient * summed(&claim.weights, &cubes[claim.tensor], base)
    };
    let total = expansion.constant + expansion.stored.iter().chain(&expansion.products).map(of).sum::<Fr>();
    Some(total == Fr::from(3u64) * claimed)
}

fn check(name: &str, world: &World, inputs: &[Vec<i64>]) {
    let (system, cubes) = (&world.key.system, world.cubes(inputs));
    for (id, tensor) in system.tensors.iter().enumerate() {
        assert_eq!(cubes[id].len(), 1 << tensor.bits(), "{name}: tensor {id}");
        for (place, weights) in weightings(&tensor.shape, 7 + id as u64).into_iter().enumerate() {
            if !matches!(tensor.form, Defined::Given) && (place == 0 || system.outputs.contains(&id)) {
                assert_eq!(
                    holds(world, &cubes, id, weights),
                    Some(true),
                    "{name}: tensor {id}, weights {place}, {:?}",
                    tensor.form
                );
            }
        }
    }
    assert_eq!(outputs(world, &cubes), outputs(world, &with_other_padding(world, inputs)), "{name}: padding reaches the output");
}

/// The last output's valid entries.
fn outputs(world: &World, cubes: &Cubes) -> Vec<i64> {
    let id = world.key.system.outputs[0];
    valid(&world.key.system.tensors[id].shape).into_iter().map(|place| cubes[id][place]).collect()
}

fn valid(shape: &[usize]) -> Vec<usize> {
    let axis = |places: Vec<usize>, size: &usize| {
        let wide = |place: &usize| (0..*size).map(|i| (place << bits(*size)) + i).collect::<Vec<_>>();
        places.iter().flat_map(wide).collect()
    };
    shape.iter().fold(vec![0], axis)
}

fn with_other_padding(world: &World, inputs: &[Vec<i64>]) -> Cubes {
    let system = &world.key.system;
    let mut given = on_cubes(system, inputs).expect("inputs that fit");
    for (cube, id) in given.iter_mut().zip(&system.inputs) {
        let (tensor, own) = (&system.tensors[*id], valid(&system.tensors[*id].shape));
        for place in (0..cube.len()).filter(|place| !own.contains(place)) {
            cube[place] = if place % 2 == 0 { tensor.high } else { tensor.low };
        }
    }
    system.values(&given)
}

fn counted(count: usize, modulus: i64) -> Vec<i64> {
    (0..count as i64).map(|i| (i * i * 7 + i * 3 + 1) % modulus).collect()
}

fn windows(kernel: &[usize], pads: &[usize], strides: &[usize], dilations: &[usize], groups: usize) -> Value {
    json!({"x_zero": 3, "w_zero": 2, "axes": 0, "kernel": kernel, "pads": pads, "strides": strides, "dilations": dilations, "groups": groups})
}

const NARROW: Form = (&[3], &[5], 4, 0, 255);
const BY_CHANNEL: Form = (&[3, 1, 2], &[5, -7, 0], 4, -3, 90);
const WIDE: Form = (&[30_000], &[-9], 1, -30_000, 30_000);

#[test]
fn claims_on_every_operator_expand_to_what_they_say() {
    let byte = [0, 255];
    let none = json!({});
    for batch in [1, 2, 3] {
        for form in [None, Some(NARROW), Some(BY_CHANNEL), Some(WIDE)] {
            let cases = [
                (
                    "matmul",
                    Text::default().input(&[5, 6], byte).constant(&[3, 6], &counted(18, 200)).then(
                        "matmul",
                        &["trace 0", "constant 0"],
                        json!({"x_zero": 3, "w_zero": 100}),
                        &[5, 3],
                        form,
                    ),
                    vec![30],
                ),
                (
                    "conv",
                    Text::default().input(&[1, 5, 6, 3], byte).constant(&[3, 2, 3, 3], &counted(54, 20)).then(
                        "conv",
                        &["trace 0", "constant 0"],
                        windows(&[], &[1, 0, 0, 2], &[2, 1], &[1, 2], 1),
                        &[1, 3, 4, 3],
                        form,
                    ),
                    vec![90],
                ),
                (
                    "conv of groups",
                    Text::default().input(&[1, 5, 6], byte).constant(&[3, 2, 2], &counted(12, 20)).then(
                        "conv",
                        &["trace 0", "constant 0"],
                        windows(&[], &[1, 0], &[2], &[1], 3),
                        &[1, 3, 3],
                        form,
                    ),
                    vec![30],
                ),
                (
                    "add",
                    Text::default().input(&[3, 3], byte).input(&[3], byte).input(&[3, 1], byte).then(
                        "add",
                        &["trace 0", "trace 1", "trace 2"],
                        json!({"coefficients": [[3], [-2, 1, 4], [7]]}),
                        &[3, 3],
                        form,
                    ),
                    vec![9, 3, 3],
                ),
                (
                    "mul",
                    Text::default().input(&[3, 3], byte).input(&[3], byte).then(
                        "mul",
                        &["trace 0", "trace 1"],
                        json!({"x_zero": 9, "y_zero": 100}),
                        &[3, 3],
                        form,
                    ),
                    vec![9, 3],
                ),
                (
                    "sum",
                    Text::default().input(&[2, 3, 3, 5], byte).then("sum", &["trace 0"], json!({"axes": 2}), &[2, 3], form),
                    vec![90],
                ),
            ];
            for (name, text, counts) in cases {
                let inputs: Vec<Vec<i64>> = counts.iter().map(|count| counted(count * batch, 256)).collect();
                check(name, &text.world(batch), &inputs);
            }
        }
        let cases = [
            (
                "matmul of two",
                Text::default().input(&[3, 5, 6], byte).input(&[3, 2, 6], byte).then(
                    "matmul",
                    &["trace 0", "trace 1"],
                    json!({"x_zero": 3, "w_zero": 9}),
                    &[3, 5, 2],
                    Some(NARROW),
                ),
                vec![90, 36],
            ),
            (
                "max of windows",
                Text::default().input(&[1, 5, 6, 3], byte).then(
                    "max",
                    &["trace 0"],
                    windows(&[3, 2], &[1, 0, 1, 1], &[2, 2], &[1, 1], 1),
                    &[1, 3, 3, 3],
                    None,
                ),
                vec![90],
            ),
            ("max", Text::default().input(&[3, 5, 3], byte).then("max", &["trace 0"], json!({"axes": 2}), &[3], None), vec![45]),
            (
                "wide max",
                Text::default().input(&[3, 5], [-300_000, 300_000]).then("max", &["trace 0"], json!({"axes": 1}), &[3], None),
                vec![15],
            ),
            ("argmax", Text::default().input(&[3, 5], byte).then("argmax", &["trace 0"], none.clone(), &[3], None), vec![15]),
            (
                "compare",
                Text::default().input(&[3, 5], byte).input(&[5], byte).then(
                    "compare",
                    &["trace 0", "trace 1"],
                    none.clone(),
                    &[3, 5],
                    None,
                ),
                vec![15, 5],
            ),
            (
                "wide compare",
                Text::default().input(&[3, 5], [-300_000, 300_000]).input(&[5], byte).then(
                    "compare",
                    &["trace 0", "trace 1"],
                    none.clone(),
                    &[3, 5],
                    None,
                ),
                vec![15, 5],
            ),
            (
                "divide",
                Text::default().input(&[3, 5], byte).input(&[3, 1], [1, 255]).then(
                    "divide",
                    &["trace 0", "trace 1"],
                    json!({"scale": 255}),
                    &[3, 5],
                    None,
                ),
                vec![15, 3],
            ),
            (
                "isqrt",
                Text::default().input(&[3, 5], [0, 300_000]).then("isqrt", &["trace 0"], none.clone(), &[3, 5], None),
                vec![15],
            ),
            (
                "gather",
                Text::default().constant(&[5, 3], &counted(15, 99)).input(&[3], [0, 4]).then(
                    "gather",
                    &["constant 0", "trace 0"],
                    none.clone(),
                    &[3, 3],
                    None,
                ),
                vec![3],
            ),
            (
                "lookup",
                Text::default().constant(&[300], &counted(300, 99)).input(&[3], [-20, 235]).then(
                    "lookup",
                    &["trace 0", "constant 0"],
                    json!({"base": -20, "mantissa": 0}),
                    &[3],
                    None,
                ),
                vec![3],
            ),
        ];
        for (name, text, counts) in cases {
            let world = text.world(batch);
            let values = |(count, id): (&usize, &TensorId)| {
                let (low, high) = (world.key.system.tensors[*id].low, world.key.system.tensors[*id].high);
                counted(count * batch, high - low + 1).iter().map(|value| low + value).collect()
            };
            let inputs: Vec<Vec<i64>> = counts.iter().zip(&world.key.system.inputs).map(values).collect();
            check(name, &world, &inputs);
        }
    }
}

/// The result in C order, by the definition: join along the first axis, permute, map, see as another shape.
fn rearranged(view: &[usize], permutation: &[usize], maps: &[[i64; 4]], fill: i64, joined: &[i64]) -> Vec<i64> {
    let mut places: Vec<Option<usize>> = vec![Some(0)];
    for (axis, [count, start, step, divisor]) in permutation.iter().zip(maps) {
        let stride: usize = view[axis + 1..].iter().product();
        let read = |i: i64| usize::try_from((start + i * step).div_euclid(*divisor)).ok().filter(|read| *read < view[*axis]);
        places = places.iter().flat_map(|place| (0..*count).map(move |i| Some((*place)? + read(i)? * stride))).collect();
    }
    places.iter().map(|place| place.map_or(fill, |place| joined[place])).collect()
}

/// A shape of as many entries: some neighbouring axes joined.
fn seen(sizes: &[usize], join: usize) -> Vec<usize> {
    let mut shape: Vec<usize> = Vec::new();
    for (place, size) in sizes.iter().enumerate() {
        match shape.last_mut() {
            Some(last) if join >> place & 1 == 1 => *last *= size,
            _ => shape.push(*size),
        }
    }
    shape
}

fn maps(view: Vec<usize>) -> impl Strategy<Value = (Vec<usize>, Vec<usize>, Vec<[i64; 4]>)> {
    let axes: Vec<usize> = (0..view.len()).collect();
    (Just(view), Just(axes).prop_shuffle()).prop_flat_map(|(view, permutation)| {
        let map = |size: i64| {
            let any =
                (1..7i64, -3..5i64, -2..3i64, 1..3i64).prop_map(|(count, start, step, divisor)| [count, start, step, divisor]);
            proptest::prop_oneof![Just([size, 0, 1, 1]), Just([size + 1, 0, 1, 1]), Just([size, size - 1, -1, 1]), any]
        };
        let maps: Vec<_> = permutation.iter().map(|axis| map(view[*axis] as i64)).collect();
        (Just(view), Just(permutation), maps)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn any_rearrangement_reads_what_it_says(
        (view, permutation, maps) in prop::collection::vec(1usize..6, 1..4).prop_flat_map(maps),
        (cut, join_source, join_result) in (any::<prop::sample::Index>(), 0usize..16, 0usize..16),
        (fill, doubled, batch) in (proptest::prop_oneof![Just(0i64), Just(9)], any::<bool>(), 1usize..4),
    ) {
        let first = 1 + cut.index(view[0]);
        let rest = &view[1..];
        let shapes: Vec<Vec<usize>> = [first, view[0] - first].iter().filter(|own| **own > 0)
            .map(|own| seen(&[&[*own], rest].concat(), join_source)).collect();
        let counts: Vec<usize> = maps.iter().map(|map| map[0] as usize).collect();
        prop_assume!(counts.iter().product::<usize>() <= 200);
        let result = seen(&counts, join_result);
        let mut text = shapes.iter().fold(Text::default(), |text, shape| text.input(shape, [0, 255]));
        let mut operands: Vec<String> = (0..shapes.len()).map(|place| format!("trace {place}")).collect();
        if doubled {
            for (place, shape) in shapes.iter().enumerate() {
                text = text.then("add", &[&format!("trace {place}")], json!({"coefficients": [[1]]}), shape, None);
                operands[place] = format!("trace {}", shapes.len() + place);
            }
        }
        let attributes = json!({"shape": result, "view": view, "permutation": permutation, "maps": maps, "axis": 0, "fill": fill});
        let operands: Vec<&str> = operands.iter().map(String::as_str).collect();
        let world = text.then("rearrange", &operands, attributes, &result, None).world(batch);
        let inputs: Vec<Vec<i64>> =
            shapes.iter().zip(1..).map(|(shape, k)| counted(shape.iter().product::<usize>() * batch, 200 + k)).collect();
        check("rearrange", &world, &inputs);
        let each = |input: usize| {
            let part = |values: &Vec<i64>| { let own = values.len() / batch; values[input * own..][..own].to_vec() };
            rearranged(&view, &permutation, &maps, fill, &inputs.iter().flat_map(part).collect::<Vec<_>>())
        };
        prop_assert_eq!(outputs(&world, &world.cubes(&inputs)), (0..batch).flat_map(each).collect::<Vec<_>>());
    }
}
