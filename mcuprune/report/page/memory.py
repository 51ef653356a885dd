"""The arena as two charts: what is live at each operator, and what lies at which offset."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mcuprune.cost.limits import first_name
from mcuprune.report.contents import ArenaOf
from mcuprune.report.occupancy import SCRATCH, Arena, Block, LiveTensor, peak_step
from mcuprune.report.page.charts import Column, Mark, MemoryChart, MemoryPanel, Piece
from mcuprune.report.page.scale import byte_text, byte_ticks
from mcuprune.report.timeline import ROLE_LABELS, short_kind
from mcuprune.units import format_bytes

# Of tensors; the style sheet has as many.
COLOURS = 8
# A budget further away than this many times the bytes in use would squash the chart.
FURTHEST_BUDGET = 2.5
HEADROOM = 1.08
# Share of the chart's height that a line of text needs.
LOWEST_LABEL_PERCENT = 5.5
# Narrower columns cannot be told apart.
LEAST_COLUMN_PIXELS = 26


def memory_panel(of: ArenaOf, budget_bytes: int | None) -> MemoryPanel:
    """Return the charts of one model's arena.

    Args:
        of: The arena.
        budget_bytes: What is allowed for head and tail.
    """
    arena = of.arena
    peak = peak_step(arena.steps)
    plan = "the plan in the file" if arena.is_planned_in_file else "TFLM's greedy plan"
    sentence = (
        f"Arena {format_bytes(arena.total_bytes)}: head {format_bytes(arena.head_bytes)} by "
        f"{plan}, tail {format_bytes(arena.tail_bytes)}. The peak is operator {peak.index} "
        f"({peak.kind}) with {format_bytes(peak.size_bytes)} live."
    )
    charts = (_live_chart(arena, budget_bytes), _map_chart(arena, budget_bytes))
    return MemoryPanel(of.title, sentence, charts)


def _live_chart(arena: Arena, budget_bytes: int | None) -> MemoryChart:
    highest = _highest(arena.total_bytes, budget_bytes)
    width = 100 / len(arena.steps)
    pieces = [_tail_piece(arena, highest)]
    for step in arena.steps:
        bottom = arena.tail_bytes
        for tensor in step.live:
            pieces.append(_live_piece(arena, tensor, step.index * width, width, bottom, highest))
            bottom += tensor.size_bytes
    budget, note = _budget(budget_bytes, highest, "budget")
    return MemoryChart(
        kind="live",
        title="Live tensors",
        summary="What is in the arena while each operator runs, stacked on the persistent tail.",
        pieces=tuple(pieces),
        columns=_columns(arena),
        ticks=_ticks(highest),
        arena=_gap(arena, highest),
        budget=budget,
        budget_note=note,
        least_pixels=LEAST_COLUMN_PIXELS * len(arena.steps),
    )


def _map_chart(arena: Arena, budget_bytes: int | None) -> MemoryChart:
    left_bytes = None if budget_bytes is None else max(0, budget_bytes - arena.tail_bytes)
    highest = _highest(arena.head_bytes, left_bytes)
    budget, note = _budget(left_bytes, highest, "budget without the tail")
    return MemoryChart(
        kind="map",
        title="Arena map",
        summary="At which offset of the arena's head each tensor lies, from operator to operator.",
        pieces=tuple(_map_pieces(arena, highest)),
        columns=_columns(arena),
        ticks=_ticks(highest),
        arena=None,
        budget=budget,
        budget_note=note,
        least_pixels=LEAST_COLUMN_PIXELS * len(arena.steps),
    )


def _tail_piece(arena: Arena, highest: float) -> Piece:
    height = 100 * arena.tail_bytes / highest
    return Piece(
        left=0,
        bottom=0,
        width=100,
        height=height,
        block=-1,
        colour="tail",
        name="persistent tail",
        lines=(format_bytes(arena.tail_bytes), "structures, multipliers and shifts; kept for good"),
        has_label=height >= LOWEST_LABEL_PERCENT,
    )


def _live_piece(
    arena: Arena, tensor: LiveTensor, left: float, width: float, bottom: int, highest: float
) -> Piece:
    block = arena.blocks[tensor.block]
    height = 100 * tensor.size_bytes / highest
    return Piece(
        left=left,
        bottom=100 * bottom / highest,
        width=width,
        height=height,
        block=tensor.block,
        colour=_colour(arena.blocks, tensor.block),
        name=first_name(tensor.name),
        lines=(*_described(block), ROLE_LABELS[tensor.role]),
        has_label=height >= LOWEST_LABEL_PERCENT,
    )


def _map_pieces(arena: Arena, highest: float) -> Iterator[Piece]:
    width = 100 / len(arena.steps)
    for number, block in enumerate(arena.blocks):
        height = 100 * block.size_bytes / highest
        yield Piece(
            left=block.first_operator * width,
            bottom=100 * block.offset_bytes / highest,
            width=(block.last_operator - block.first_operator + 1) * width,
            height=height,
            block=number,
            colour=_colour(arena.blocks, number),
            name=first_name(block.name),
            lines=_described(block),
            has_label=height >= LOWEST_LABEL_PERCENT,
        )


def _described(block: Block) -> tuple[str, ...]:
    end = block.offset_bytes + block.size_bytes
    lines = [format_bytes(block.size_bytes), f"offset {block.offset_bytes:,} to {end:,}"]
    if block.dtype:
        shape = "\u00d7".join(map(str, block.shape)) or "scalar"
        lines.insert(1, f"{shape} {block.dtype}")
    if block.first_operator == block.last_operator:
        lines.append(f"operator {block.first_operator}")
    else:
        lines.append(f"operators {block.first_operator} to {block.last_operator}")
    if block.in_place_of:
        lines.append(f"written over {first_name(block.in_place_of)}")
    return tuple(lines)


def _colour(blocks: Sequence[Block], number: int) -> str:
    return SCRATCH if blocks[number].name == SCRATCH else f"c{number % COLOURS}"


def _columns(arena: Arena) -> tuple[Column, ...]:
    width, peak = 100 / len(arena.steps), peak_step(arena.steps).index
    return tuple(
        Column(
            step.index * width,
            width,
            short_kind(step.kind),
            f"operator {step.index}, {step.kind}: {format_bytes(step.size_bytes)} live",
            step.index == peak,
        )
        for step in arena.steps
    )


def _highest(used_bytes: int, budget_bytes: int | None) -> float:
    reach = used_bytes
    if budget_bytes is not None and budget_bytes <= FURTHEST_BUDGET * used_bytes:
        reach = max(reach, budget_bytes)
    return max(reach, 1) * HEADROOM


def _ticks(highest: float) -> tuple[Mark, ...]:
    return tuple(Mark(100 * value / highest, byte_text(value)) for value in byte_ticks(highest))


def _gap(arena: Arena, highest: float) -> Mark | None:
    """Return where the arena ends if its plan has gaps even at the fullest operator."""
    if arena.total_bytes == arena.tail_bytes + peak_step(arena.steps).size_bytes:
        return None
    text = f"arena {format_bytes(arena.total_bytes)}, with the plan's gaps"
    return Mark(100 * arena.total_bytes / highest, text)


def _budget(limit_bytes: int | None, highest: float, label: str) -> tuple[Mark | None, str]:
    if limit_bytes is None:
        return None, ""
    text = f"{label} {format_bytes(limit_bytes)}"
    if limit_bytes > highest:
        return None, f"{text}, above this chart"
    return Mark(100 * limit_bytes / highest, text), ""
