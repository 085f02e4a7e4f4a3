# SPDX-License-Identifier: MIT OR Apache-2.0
"""ONNX's own node tests: none is wrong, none falls over, and what passed once passes."""

from __future__ import annotations

import json

import pytest

from differential.onnx_conformance import RECORD, cases, measure, passing, report

SAMPLE = (
    "test_add_bcast", "test_argmax_keepdims_example_select_last_index", "test_attention_4d_causal",
    "test_averagepool_2d_ceil", "test_averagepool_2d_precomputed_pads", "test_basic_conv_with_padding", "test_clip_example",
    "test_concat_1d_axis_0", "test_convtranspose_group_2", "test_convtranspose_output_shape", "test_cumsum_1d", "test_dft",
    "test_depthtospace_crd_mode_example", "test_div_bcast", "test_einsum_batch_matmul", "test_gather_2d_indices",
    "test_gathernd_example_float32", "test_gemm_all_attributes", "test_group_normalization_example", "test_hardmax_axis_1",
    "test_instancenorm_epsilon", "test_layer_normalization_3d_axis1_epsilon", "test_less", "test_logsoftmax_axis_1", "test_lrn",
    "test_matmul_4d", "test_max_example", "test_maxpool_2d_dilations", "test_mvn", "test_onehot_with_axis",
    "test_prelu_broadcast",
    "test_reduce_l2_keep_dims_random", "test_reduce_log_sum_exp_default_axes_keepdims_random", "test_reduce_prod_keepdims_random",
    "test_resize_upsample_scales_cubic", "test_rms_normalization_3d_axis1_epsilon", "test_round",
    "test_scatternd", "test_slice_neg_steps", "test_softmax_axis_1", "test_stft", "test_tile", "test_top_k", "test_where_example",
)  # fmt: skip


def test_sample_of_onnx_node_tests_passes() -> None:
    found = [measure(case) for case in cases() if case.name in SAMPLE]
    assert {outcome.case for outcome in found} == {*SAMPLE}
    assert [outcome for outcome in found if outcome.state != "passed"] == []


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_all_onnx_node_tests_are_right_or_refused_and_none_is_lost() -> None:
    found = [measure(case) for case in cases()]
    assert not [outcome for outcome in found if outcome.state in ("wrong", "crashed")], report(found)
    now = passing(found)
    lost = {operator: count for operator, count in json.loads(RECORD.read_text()).items() if now.get(operator, 0) < count}
    assert lost == {}, "if the loss is wanted: python -m differential.onnx_conformance"
