// SPDX-License-Identifier: MIT OR Apache-2.0
//! conv: matmul over windows. Rules 55, 64, 65.
//!
//! The key has one constant a tap, (w - w_zero) * multiplier(o) as a cube [group][out][in]. x_zero is subtracted inside, so that padding
//! adds nothing.

use crate::affine::{Sum, channel, hull, multipliers, offsets};
use crate::lowering::{Failure, Lowering, padded};
use crate::matmul::weighed;
use crate::requantise::requantise;
use program::Operator;
use relation::{Conv, LinearTerm, TensorId, Window, bits};

/// See above.
pub(crate) fn lower(lowering: &mut Lowering, operator: &Operator) -> Result<TensorId, Failure> {
    let (x, x_shape) = lowering.tensor(operator, 0)?;
    let w = lowering.read(operator, 1)?;
    let (Some(values), [out, spatial @ .., inner]) = (w.constant, w.shape) else {
        return Err(Failure("its weights are no constant".to_owned()));
    };
    let groups = operator.integer("groups")? as usize;
    let channels = out / groups;
    if groups > 1 && !(channels.is_power_of_two() && inner.is_power_of_two()) {
        return Err(Failure(format!("groups of {inner} to {channels} channels, which are no powers of two")));
    }
    let (x_zero, w_zero) = (operator.integer("x_zero")?, operator.integer("w_zero")?);
    let form = operator.requantise.as_ref();
    let multiplier = multipliers(form);
    let taps: usize = spatial.iter().product();
    let scaled: Vec<i64> =
        values.iter().enumerate().map(|(i, w)| (w - w_zero) * channel(&multiplier, i / (taps * inner))).collect();
    let x = lowering.system.flat(x);
    let ends = {
        let tensor = &lowering.system.tensors[x];
        let (low, high) = ((tensor.low - x_zero).min(0), (tensor.high - x_zero).max(0));
        let offset = offsets(form);
        let reach =
            |(o, row): (usize, &[i64])| weighed(row, low.into(), high.into()).map(|end| end + i128::from(channel(&offset, o)));
        hull(scaled.chunks(taps * inner).enumerate().flat_map(reach).chain([0]))?
    };
    let kernel_shape = [groups, channels, *inner];
    let kernel =
        |tap: usize| (0..out * inner).map(|i| scaled[(i / inner * taps + tap) * inner + i % inner]).collect::<Vec<i64>>();
    let kernels = (0..taps).map(|tap| lowering.system.constant(&kernel_shape, padded(&kernel_shape, &kernel(tap)))).collect();
    let (strides, pads, dilations) = (operator.sizes("strides")?, operator.sizes("pads")?, operator.sizes("dilations")?);
    let shape = lowering.batched(&operator.output.shape);
    let window = |axis: usize| Window {
        input: x_shape[axis + 2],
        output: shape[axis + 2],
        kernel: spatial[axis],
        stride: strides[axis],
        dilation: dilations[axis],
        pad: pads[axis],
    };
    let conv = Conv {
        source: x,
        zero: x_zero,
        kernels,
        windows: (0..spatial.len()).map(window).collect(),
        bits: [bits(shape[0]) + bits(shape[1]), bits(groups), bits(channels), bits(*inner)],
    };
    let cube = shape.iter().map(|size| bits(*size)).sum();
    let source = lowering.system.conv(&shape, ends, conv);
    let sum = Sum { shape, terms: vec![LinearTerm::same(1, source, cube)], offset: offsets(form), ends };
    let y = requantise(&mut lowering.system, sum, form)?;
    // channels are cut into groups, which not all weights can be: claims on a grouped result are on a copy
    Ok(if groups > 1 { lowering.system.flat(y) } else { y })
}
