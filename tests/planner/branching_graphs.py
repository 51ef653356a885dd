"""Small graphs with branches for property tests, and every order of their operators."""

import itertools

from hypothesis import strategies as st

from mcuprune.ir.graph import Graph, Operator, Tensor
from mcuprune.planner.in_place import room_buffers, shared_places
from mcuprune.planner.order import reordered, reordered_scratch

KINDS = ("CONV_2D", "ADD", "RELU", "RESHAPE")


@st.composite
def branching_graphs(draw, most=6):
    """Operators that read one or two earlier tensors; what nothing reads is an output."""
    tensors = [Tensor("x0", (1, 16 * draw(st.integers(1, 6))))]
    operators = []
    for index in range(draw(st.integers(1, most))):
        kind = draw(st.sampled_from(KINDS))
        first = draw(st.integers(0, len(tensors) - 1))
        reads = [first]
        if kind == "ADD":
            same = [i for i, t in enumerate(tensors) if t.shape == tensors[first].shape]
            reads.append(draw(st.sampled_from(same)))
        shape = tensors[first].shape
        if kind == "CONV_2D":
            shape = (1, 16 * draw(st.integers(1, 6)))
        operators.append(Operator(index, kind, tuple(reads), (len(tensors),)))
        tensors.append(Tensor(f"x{len(tensors)}", shape))
    read = {i for op in operators for i in op.inputs}
    outputs = tuple(i for i in range(len(tensors)) if i not in read)
    return Graph("branching", tuple(tensors), tuple(operators), (0,), outputs)


def two_branches(first_kind="CONV_2D"):
    """x (16 B) widens to 160 B in each of two branches, each narrowed to 16 B, then added."""
    shapes = [16, 160, 160, 16, 16, 16]
    tensors = tuple(Tensor(f"t{i}", (1, size)) for i, size in enumerate(shapes))
    operators = (
        Operator(0, first_kind, (0,), (1,)),
        Operator(1, "CONV_2D", (0,), (2,)),
        Operator(2, "CONV_2D", (1,), (3,)),
        Operator(3, "CONV_2D", (2,), (4,)),
        Operator(4, "ADD", (3, 4), (5,)),
    )
    return Graph("branches", tensors, operators, (0,), (5,))


def all_orders(graph):
    """Every order in which each operator finds what it reads."""
    count = len(graph.operators)
    for order in itertools.permutations(range(count)):
        made = set(graph.inputs)
        for index in order:
            if not set(graph.operators[index].inputs) <= made:
                break
            made.update(graph.operators[index].outputs)
        else:
            yield order


def working_set(graph, order, in_place, scratch=()):
    """Largest sum of places in use at one step of an order."""
    moved = reordered(graph, order)
    place = shared_places(moved) if in_place else {}
    placed = room_buffers(moved, reordered_scratch(scratch, order), place)
    return max(
        sum(b.size_bytes for b in placed if b.first_step <= step <= b.last_step)
        for step in range(len(order) + 1)
    )
