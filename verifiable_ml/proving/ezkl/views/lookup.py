# SPDX-License-Identifier: MIT OR Apache-2.0
"""lookup: a Gather from the table, whose index ezkl holds to the table's length."""

from __future__ import annotations

from math import prod

from verifiable_ml.program import ConstantRef, Operator
from verifiable_ml.proving.ezkl.view import Context


def emit(context: Context, operator: Operator) -> str:
    """table[x - base]."""
    x, table = operator.operands
    if operator.attributes.mantissa:
        raise context.refuse(operator, "a table by mantissa needs the leading bits of its operand, which ezkl does not give")
    assert isinstance(table, ConstantRef)
    graph, shape = context.graph, context.shape(x)
    index = graph.reshape(context.centred(x, operator.attributes.base), (prod(shape),))
    values = graph.constant(context.program.constants[table.index])
    return graph.reshape(graph.op("Gather", values, index, axis=0), operator.output.shape)
