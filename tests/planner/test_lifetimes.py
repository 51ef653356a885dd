from mcuprune.ir.graph import Graph, Operator, Tensor
from mcuprune.planner.lifetimes import Buffer, Lifetime, ScratchRequest, buffers, lifetimes


def graph(**changes) -> Graph:
    tensors = (
        Tensor("x", (1, 10)),
        Tensor("weights", (4, 10), is_constant=True),
        Tensor("state", (1, 4), is_variable=True),
        Tensor("h", (1, 4), bits=16, dtype="int16"),
        Tensor("y", (1, 17)),
        Tensor("unused", (1, 5)),
        Tensor("empty", (0,)),
    )
    operators = (
        Operator(0, "FULLY_CONNECTED", (0, 1, -1, 2), (3,)),
        Operator(1, "TANH", (3,), (4,)),
    )
    return Graph("net", tensors, operators, (0,), (4,), **changes)


def test_inputs_start_at_step_0_and_outputs_live_to_the_end():
    assert lifetimes(graph())[:3] == (Lifetime(0, 0, 1), Lifetime(3, 1, 2), Lifetime(4, 2, 2))


def test_buffers_leave_out_constants_variables_and_empty_tensors():
    assert buffers(graph(), [ScratchRequest(1, 3)]) == (
        Buffer(0, 16, 0, 1),
        Buffer(3, 16, 1, 2),
        Buffer(4, 32, 2, 2),
        Buffer(5, 16, -1, -1),
        Buffer(None, 16, 2, 2),
    )


def test_a_variable_with_a_prescribed_offset_is_planned():
    placed = buffers(graph(offline_offsets=(-1, -1, 64, -1, -1, -1, -1)))
    assert placed[1] == Buffer(2, 16, -1, 1, offline_offset_bytes=64)


def test_output_read_before_the_end_stays():
    chain = Graph(
        "two outputs",
        tuple(Tensor(n, (1, 16)) for n in "xab"),
        (Operator(0, "RELU", (0,), (1,)), Operator(1, "RELU", (1,), (2,))),
        (0,),
        (1, 2),
    )
    assert lifetimes(chain)[1] == Lifetime(1, 1, 2)
