"""What notebooks show: well-formed tables with the numbers, and names as text."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import keras
import pytest

import mcuprune
from mcuprune.budget import Budget
from mcuprune.channels.analysis import coupling_groups
from mcuprune.cost.resources import estimate
from mcuprune.cost.verdict import compare
from mcuprune.ir.graph import Graph, Operator, Tensor
from mcuprune.notebook import html_line, html_table
from mcuprune.pruning.minimize import Minimized, Trial
from mcuprune.report.comparison import comparison_html

HOSTILE = "<script>alert('x')</script> & co"


def rows(text: str) -> list[list[str]]:
    """Parse HTML that is well-formed as XML; returns the cells of all tables."""
    root = ET.fromstring(f"<root>{text}</root>")
    assert not list(root.iter("script"))
    return [["".join(cell.itertext()) for cell in row] for row in root.iter("tr")]


def dense(name: str) -> Graph:
    """A fully connected layer, 16 features to 4: 64 MACs."""
    tensors = (
        Tensor("in", (1, 16)),
        Tensor("kernel", (4, 16), is_constant=True),
        Tensor("out", (1, 4)),
    )
    operators = (Operator(0, "FULLY_CONNECTED", (0, 1, -1), (2,)),)
    return Graph(name, tensors, operators, inputs=(0,), outputs=(2,), file_bytes=1234)


def test_cells_are_escaped_and_numbers_stand_right():
    text = html_table(["name", "bytes"], [[HOSTILE, "12"]], title=HOSTILE, numbers=[1])
    assert rows(text) == [["name", "bytes"], [HOSTILE, "12"]]
    cells = list(ET.fromstring(text).iter("td"))
    assert [cell.get("style") for cell in cells] == ["text-align:left", "text-align:right"]
    assert ET.fromstring(html_line(HOSTILE)).text == HOSTILE


def test_resources_and_verdict():
    resources = estimate(dense(HOSTILE))
    found = rows(resources._repr_html_())
    assert ["MACs", "64", "predicted"] in found
    assert ["flash (.tflite)", "1,234 B", "file"] in found
    verdict = compare(resources, Budget(macs=60))
    assert rows(verdict._repr_html_())[1:] == [["macs", "64 MACs", "60 MACs", "4 MACs"]]
    assert "does not fit" in verdict._repr_html_()


def test_groups():
    inputs = keras.Input((8, 8, 1))
    x = keras.layers.Conv2D(6, 3, name="first")(inputs)
    x = keras.layers.GlobalAveragePooling2D()(x)
    model = keras.Model(inputs, keras.layers.Dense(3, name="last")(x))
    overview = rows(mcuprune.groups(model)._repr_html_())
    assert overview[1][:2] == ["first", "6"]
    assert overview[1][-1] == "first"
    plain = rows(coupling_groups(model)._repr_html_())
    assert plain[1][:2] == ["first", "6"]
    assert plain[2][0] == "last"
    assert plain[2][-1] != ""


def test_a_search():
    trials = (Trial(Budget(macs=9), 0.9, True), Trial(Budget(macs=4), 0.5, False))
    found = Minimized(None, Budget(macs=9), 0.9, trials)
    assert rows(found._repr_html_())[1:] == [
        ["Budget(sram=None, flash=None, macs=9)", "90.0%", "yes"],
        ["Budget(sram=None, flash=None, macs=4)", "50.0%", "no"],
    ]


@pytest.mark.parametrize("title", ["digits", HOSTILE])
def test_a_comparison(title):
    pruned = {"runtime": "tflm-reference", "pointer_bits": 64, "arena_total_bytes": 7}
    pruned |= {"tflite_bytes": 8, "macs": 9, "params": 10}
    found = {"resources": {"reference": None, "pruned": pruned}, "budget": None, "accuracy": {}}
    text = comparison_html({**found, "recipe": title})
    assert ["MACs", "", "9", "", "predicted"] in rows(text)
