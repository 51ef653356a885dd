"""The picture is drawn, and the bars it draws are the bytes that were counted."""

from __future__ import annotations

import pytest
from matplotlib.figure import Figure
from run_folder import tflite

import mcuprune
from mcuprune.cost.memory import arena_head, arena_tail, working_sets
from mcuprune.errors import InputError
from mcuprune.ir.graph import Graph, Operator, Tensor
from mcuprune.report.timeline import plot_memory_timeline


def conv_graph(width: int) -> Graph:
    """Two 1x1 convolutions on 8x8, of ``width`` channels each."""
    tensors = (
        Tensor("in", (1, 8, 8, 1)),
        Tensor("a", (1, 8, 8, width)),
        Tensor("b", (1, 8, 8, width)),
        Tensor("kernel1", (width, 1, 1, 1), is_constant=True, quantization_scales=width),
        Tensor("kernel2", (width, 1, 1, width), is_constant=True, quantization_scales=width),
        Tensor("bias", (width,), bits=32, dtype="int32", is_constant=True),
    )
    operators = (
        Operator(0, "CONV_2D", (0, 3, 5), (1,)),
        Operator(1, "CONV_2D", (1, 4, 5), (2,)),
    )
    return Graph(f"conv{width}", tensors, operators, inputs=(0,), outputs=(2,))


@pytest.fixture
def drawn(monkeypatch, tmp_path):
    """Draw a timeline; returns the figure and the file."""

    def draw(budget_sram):
        figures = []
        save = Figure.savefig
        monkeypatch.setattr(
            Figure, "savefig", lambda self, *a, **k: (figures.append(self), save(self, *a, **k))
        )
        path = tmp_path / "timeline.png"
        plot_memory_timeline(conv_graph(16), conv_graph(4), budget_sram, path)
        return figures[0], path

    return draw


def test_a_png_with_both_panels_to_the_same_scale(drawn):
    figure, path = drawn(3000)
    before, after = figure.axes
    assert path.read_bytes().startswith(b"\x89PNG")
    assert before.get_ylim() == after.get_ylim()
    for axis, width in ((before, 16), (after, 4)):
        graph = conv_graph(width)
        head, tail = arena_head(graph), int(arena_tail(graph))
        assert f"arena {head + tail:,} B" in axis.get_title()


def test_bars_reach_tail_and_working_set(drawn):
    figure, _ = drawn(None)
    graph = conv_graph(16)
    tops = [bar.get_y() + bar.get_height() for bar in figure.axes[0].patches]
    assert max(tops) == int(arena_tail(graph)) + max(working_sets(graph))


def test_the_budget_is_a_line_in_both_panels(drawn):
    figure, _ = drawn(3000)
    for axis in figure.axes:
        assert any(set(line.get_ydata()) == {3000} for line in axis.lines)
        assert any("budget 3,000 B" in text.get_text() for text in axis.texts)


def test_without_a_budget_there_is_no_line(drawn):
    figure, _ = drawn(None)
    assert not any("budget" in text.get_text() for axis in figure.axes for text in axis.texts)


def test_the_peak_is_named(drawn):
    figure, _ = drawn(3000)
    # The second convolution reads 16x64 B and writes as much.
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert "peak: CONV_2D (operator 1), 2,048 B live" in texts


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "net.tflite"
    path.write_bytes(tflite(4, "net"))
    return path


def test_one_model_as_a_figure(file):
    figure = mcuprune.plot_memory(file)
    (axis,) = figure.axes
    resources = mcuprune.estimate(file)
    assert f"arena {resources.arena_total_bytes:,} B" in axis.get_title()
    assert "TFLM on a 64-bit host" in axis.get_ylabel()


def test_a_board_counts_as_its_firmware(file):
    budget = mcuprune.Budget(sram="16KiB", board="nucleo-l4r5zi")
    figure = mcuprune.plot_memory(file, budget=budget)
    (axis,) = figure.axes
    resources = mcuprune.estimate(file, board="nucleo-l4r5zi")
    assert f"arena {resources.arena_total_bytes:,} B" in axis.get_title()
    assert axis.get_ylabel().endswith("tflm-cmsis-nn on nucleo-l4r5zi")
    assert any("budget 16,384 B" in text.get_text() for text in axis.texts)


def test_a_figure_needs_a_budget_or_none(file):
    with pytest.raises(InputError, match="expected a Budget"):
        mcuprune.plot_memory(file, budget=4096)
