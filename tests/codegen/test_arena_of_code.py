"""Arenas of generated C: sharing places, working memory, spare bytes."""

import itertools

from mcuprune.codegen.memory import plan_arena, spare_bytes, with_readable_end
from mcuprune.ir.graph import Graph, Operator, Tensor


def chain(*kinds, size=100):
    """Operators one after the other, each from a tensor of `size` bytes to another."""
    tensors = tuple(Tensor(f"t{i}", (1, size)) for i in range(len(kinds) + 1))
    operators = tuple(Operator(i, kind, (i,), (i + 1,)) for i, kind in enumerate(kinds))
    return Graph("chain", tensors, operators, (0,), (len(kinds),))


def test_elementwise_operators_work_in_place():
    arena = plan_arena(chain("RELU", "LOGISTIC"), {})
    assert arena.tensor_offsets == (0, 0, 0)
    assert arena.size_bytes == 112


def test_working_memory_lies_beside_what_an_operator_uses():
    arena = plan_arena(chain("CONV_2D", "CONV_2D"), {0: 40})
    # 112 + 112 + 48, each rounded up to 16.
    assert arena.size_bytes == 272
    spans = [(arena.tensor_offsets[i], 112) for i in (0, 1)] + [(arena.scratch_offsets[0], 48)]
    spans.sort()
    assert all(start + size <= other for (start, size), (other, _) in itertools.pairwise(spans))


def test_spare_bytes_are_what_others_need():
    graph = chain("CONV_2D", "CONV_2D")
    arena = plan_arena(graph, {0: 64})
    assert spare_bytes(graph, arena) == (64, 64)


def test_arenas_grow_only_where_a_kernel_reads_past_their_end():
    graph = chain("CONV_2D", size=96)
    arena = plan_arena(graph, {})
    last = max(range(2), key=lambda tensor: arena.tensor_offsets[tensor])
    assert with_readable_end(graph, arena, {1 - last: 3}).size_bytes == arena.size_bytes == 192
    assert with_readable_end(graph, arena, {last: 3}).size_bytes == 208
