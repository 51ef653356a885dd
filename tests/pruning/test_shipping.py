"""Budgets are counted on the file that ships: with its memory plan, on the budget's board."""

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from mcuprune.budget import Budget
from mcuprune.channels.analysis import coupling_groups
from mcuprune.cost.front import estimate
from mcuprune.cost.resources import estimate as estimate_graph
from mcuprune.deployment.package import deploy
from mcuprune.engines.tflm import TFLM
from mcuprune.errors import InfeasibleBudgetError
from mcuprune.ir.from_keras import graph_from_keras
from mcuprune.ir.from_tflite import read_tflite
from mcuprune.pruning.allowed import allowed_widths
from mcuprune.pruning.callback import MCUPruning
from mcuprune.pruning.pruner import Pruner
from mcuprune.pruning.shipping import shipping
from mcuprune.pruning.widths import worth_of_widths
from mcuprune.recipes.models import resnet8


def summing(size: int = 16, width: int = 16) -> Any:
    """A sum at the peak: TFLM's own plan holds both terms and the sum, a plan in place only two."""
    keras.utils.set_random_seed(0)
    # The converter leaves out a bias of zeros and stores equal ones once: no trained network's.
    bias = {"bias_initializer": "random_normal"}
    inputs = keras.Input((size, size, 3))
    stem = keras.layers.Conv2D(width, 3, padding="same", name="stem", **bias)(inputs)
    branch = keras.layers.Conv2D(width, 1, name="branch", **bias)(stem)
    x = keras.layers.Add(name="sum")([stem, branch])
    x = keras.layers.GlobalAveragePooling2D()(x)
    head = keras.layers.Dense(4, name="head", **bias)
    return keras.Model(inputs, head(x), name="summing")


def samples(model: Any, count: int = 50) -> np.ndarray:
    shape = (count, *model.input_shape[1:])
    return np.random.default_rng(0).normal(size=shape).astype(np.float32)


def pruned(model: Any, budget: Budget, **options: Any) -> Pruner:
    pruner = Pruner(model, budget, **options)
    pruner.finish()
    return pruner


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Pruner, Any]:
    """A network cut to a budget of SRAM that it meets with a plan only, and its deployment."""
    model, budget = summing(), Budget(sram=8_000, flash=4_000)
    pruner = pruned(model, budget)
    out = tmp_path_factory.mktemp("shipped") / "summing"
    return model, pruner, deploy(model, samples(model), out, budget=budget)


def test_the_widths_are_those_that_the_plan_allows(shipped: Any) -> None:
    model, _, deployment = shipped
    arena = deployment.arena
    assert deployment.memory_plan.is_changed
    assert deployment.verdict.fits
    # Two tensors of 256 positions, their channels aligned as a whole; three exceed the budget.
    width = model.get_layer("stem").filters
    assert arena.head_bytes == 2 * 256 * width
    assert arena.tail_bytes + 2 * 256 * (width + 1) > 8_000
    assert estimate(model).arena_total_bytes > 8_000


def test_predictions_hold_on_the_file_to_the_byte(shipped: Any) -> None:
    _, pruner, deployment = shipped
    file_bytes = (deployment.folder / "model.tflite").stat().st_size
    assert pruner.resources() == {"sram": deployment.arena.total_bytes, "flash": file_bytes}
    assert pruner.is_planned


def test_without_room_for_the_plan_in_flash_widths_fit_without_it() -> None:
    """The plan's bytes in the file can buy more in SRAM than they cost, or not."""
    widths = {}
    for flash in (4_000, 2_400):
        model = summing()
        pruner = pruned(model, Budget(sram=8_000, flash=flash))
        assert all(n <= m for n, m in zip(pruner.resources().values(), (8_000, flash), strict=True))
        widths[flash] = model.get_layer("stem").filters
    assert widths[2_400] <= widths[4_000]


def test_files_of_other_converters_are_counted_without_a_plan() -> None:
    model = summing()
    pruner = pruned(model, Budget(sram=8_000, flash=4_000), plan_memory=False)
    assert estimate(model).arena_total_bytes == pruner.resources()["sram"] <= 8_000
    assert estimate(model).flash_bytes == pruner.resources()["flash"]
    assert not pruner.is_planned


@pytest.mark.parametrize(
    ("plan_memory", "told"),
    [(True, "with the memory plan that mcuprune.deploy writes)"), (False, "predicted)")],
)
def test_a_cut_says_what_it_counted(
    capfd: pytest.CaptureFixture[str], plan_memory: bool, told: str
) -> None:
    model = summing()
    model.compile("adam", "mse")
    pruning = MCUPruning(Budget(sram=8_000), 0, 1, cuts=1, verbose=1, plan_memory=plan_memory)
    model.fit(samples(model), np.zeros((50, 4)), verbose=0, callbacks=[pruning])
    line = next(line for line in capfd.readouterr().out.splitlines() if "cut to" in line)
    assert line.endswith(told)


def test_the_form_that_meets_the_budget_counts() -> None:
    """A plan takes flash and saves SRAM: a budget can allow one form, the other, or neither."""
    groups = coupling_groups(network := summing())
    graph = graph_from_keras(network, groups.dims())
    budget = Budget(sram=10**6, flash=10**6)
    ships = shipping(graph, groups.widths(), {"head": 4}, budget)
    assert ships.model.costs.is_planned
    full = {"stem": 16}
    planned, plain = (model.exact(full) for model in ships.models)
    assert planned["flash"] > plain["flash"]
    assert planned["sram"] < plain["sram"]
    assert ships.meets({"sram": plain["sram"], "flash": plain["flash"]}, full)
    assert ships.meets({"sram": planned["sram"], "flash": planned["flash"]}, full)
    assert not ships.meets({"sram": planned["sram"], "flash": plain["flash"]}, full)
    with pytest.raises(InfeasibleBudgetError):
        Pruner(summing(), Budget(sram=planned["sram"], flash=plain["flash"]), min_channels=16)


def test_a_board_counts_with_its_runtime_and_its_code(tmp_path: Path) -> None:
    budget = Budget(sram=7_000, flash=82_000, board="nucleo-l4r5zi")
    model = summing()
    pruner = pruned(model, budget, round_to=1)
    deployment = deploy(model, samples(model), tmp_path / "board", budget=budget)
    graph = read_tflite(tmp_path / "board" / "model.tflite")
    counted = estimate_graph(graph, "tflm-cmsis-nn", 32)
    rows = {row.name: row for row in deployment.verdict.rows}
    assert deployment.verdict.fits
    assert deployment.resources.runtime == "tflm-cmsis-nn"
    assert pruner.resources()["sram"] == rows["sram"].required == counted.arena_total_bytes
    code_bytes = counted.runtime_code_bytes
    assert code_bytes > 40_000
    assert rows["flash"].required == counted.tflite_bytes + code_bytes
    assert pruner.resources()["flash"] == rows["flash"].required
    assert f"{code_bytes:,} B of code" in rows["flash"].note
    # The head as TFLM plans it with reference kernels is what it is without scratch memory.
    assert TFLM().arena((tmp_path / "board" / "model.tflite").read_bytes()).head_bytes <= 7_000


def test_flash_below_the_code_of_the_runtime_is_refused_with_the_reason() -> None:
    with pytest.raises(InfeasibleBudgetError, match="of that are the runtime's code"):
        Pruner(summing(), Budget(flash=70_000, board="nucleo-l4r5zi"))


@pytest.mark.parametrize("board", [None, "nucleo-l4r5zi"])
def test_slopes_are_differences_of_the_exact_counts(board: str | None) -> None:
    """Steps of 16 channels keep every alignment, and both forms are linear or quadratic in one."""
    model = summing(width=64)
    groups = coupling_groups(model)
    graph = graph_from_keras(model, groups.dims())
    budget = Budget(sram=10**6, flash=10**6, macs=10**8, board=board)
    fixed = {"head": 4}
    (name,) = (name for name in groups.widths() if name != "head")
    for model_of_form in shipping(graph, groups.widths(), fixed, budget).models:
        needs = model_of_form.needs({name: 32})
        for resource, terms in needs.terms.items():
            for place in range(len(terms)):
                chosen = {resource: np.eye(len(terms))[place]}
                up, down = (
                    model_of_form.needs({name: width}).terms[resource][place] for width in (48, 16)
                )
                assert needs.slopes(chosen)[name] == pytest.approx((up - down) / 32)


def test_a_wider_group_is_paid_for_by_several_others() -> None:
    keras.utils.set_random_seed(0)
    model = resnet8(input_shape=(28, 28, 1), classes=10, activation=None)
    groups = coupling_groups(model)
    names = [group.name for group in groups.prunable]
    widths = dict(zip(names, (7, 7, 27, 25, 29, 48), strict=True))
    limits = {"sram": 13_328, "flash": 19_178}
    shares = {name: np.full(width, 1 / width) for name, width in widths.items()}
    allowed = {name: allowed_widths(width) for name, width in widths.items()}
    fixed = {n: w for n, w in groups.widths().items() if n not in widths}
    graph = graph_from_keras(model, groups.dims())
    ships = shipping(graph, groups.widths(), fixed, Budget(**limits))
    found, _ = ships.search(limits, shares, allowed, widths)
    # Found by hand: a trunk of two channels, which no exchange of one group for another leads to
    # from a trunk of one.
    known = dict(zip(names, (2, 5, 22, 12, 21, 26), strict=True))
    assert ships.meets(limits, known)
    worth = {n: worth_of_widths(s) for n, s in shares.items()}
    assert sum(worth[n][found[n] - 1] - worth[n][known[n] - 1] for n in names) > 0


class PassedOn(keras.layers.Layer):
    """Has no channel rule, so what is before it is no width that can follow what is after it."""

    def call(self, inputs: Any) -> Any:
        return inputs


def test_a_plan_shares_places_across_a_layer_without_a_rule() -> None:
    inputs = keras.Input((8, 8, 1))
    x = keras.layers.Conv2D(16, 3, activation="relu")(inputs)
    x = keras.layers.Flatten()(PassedOn()(x))
    x = keras.layers.Dense(24, activation="relu")(x)
    model = keras.Model(inputs, keras.layers.Dense(10)(x))
    planned = estimate(model).arena_planned_bytes
    # 576 bytes of the convolution's output are there once with the plan, twice without.
    assert planned < estimate(model).arena_total_bytes - 500
    assert Pruner(model, Budget(sram=planned)).done
