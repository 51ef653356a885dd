"""What a report says, against what was written by hand."""

from __future__ import annotations

import json
import shutil

import pytest
from run_folder import BUDGET, tflite, write_run

from mcuprune.budget import Budget
from mcuprune.errors import InputError
from mcuprune.report.contents import LinkedFile
from mcuprune.report.gather import read_report


def test_a_run_has_all_sections(run):
    report = read_report(run)
    assert (report.title, report.model, report.verdict) == ("A tiny run", "tiny", "fits")
    assert report.headline == "Fits the budget"
    assert [training.title for training in report.trainings] == ["reference", "pruning"]
    assert [arena.title for arena in report.arenas] == ["pruned", "reference"]
    # 8x8 positions: input 64 B, in between 4 or 8 channels; both operators hold both.
    assert [arena.arena.head_bytes for arena in report.arenas] == [64 + 256, 64 + 512]
    widths = [(width.name, width.before, width.after) for width in report.widths]
    assert widths == [("tiny", 8, 4), ("classes", 3, 3)]
    assert [operator.macs for operator in report.operators] == [64 * 4, 64 * 4]
    assert [confusion.right for confusion in report.confusions] == [13, 12]
    assert report.simulation["board"] == "nucleo-l4r5zi"
    assert [file.name for file in report.files] == ["model.tflite", "model_data.c", "report.json"]


def test_limits_are_those_of_the_check(run):
    report = read_report(run)
    assert {limit.name: limit.available for limit in report.limits} == dict(BUDGET.limits())
    by_name = {limit.name: limit for limit in report.limits}
    assert (by_name["macs"].required, by_name["macs"].spare) == (512, 5000 - 512)
    assert [limit.origin for limit in report.limits] == ["predicted", "file", "predicted"]


def test_cycles_are_those_of_the_simulated_board(run):
    report = read_report(run)
    assert report.cycles_for == "nucleo-l4r5zi, tflm-cmsis-nn at 120 MHz"
    assert all(operator.cycles > operator.macs for operator in report.operators)
    labels = {row.label for row in report.comparison}
    assert {"latency on nucleo-l4r5zi", "energy on nucleo-l4r5zi"} <= labels


def test_cycles_need_no_simulator(tmp_path):
    folder = write_run(tmp_path / "run")
    path = folder / "deployment" / "report.json"
    without = {**json.loads(path.read_text()), "simulation": None}
    path.write_text(json.dumps({**without, "validation_board": "nucleo-l4r5zi"}))
    assert read_report(folder).cycles_for == "nucleo-l4r5zi, tflm-cmsis-nn at 120 MHz"
    path.write_text(json.dumps(without))
    assert read_report(folder).cycles_for is None


def test_another_board_can_be_asked_for(run):
    report = read_report(run, board="stm32f746g-disco")
    assert report.cycles_for.startswith("stm32f746g-disco")


def test_a_deployment_alone_lacks_the_run(run, tmp_path):
    report = read_report(shutil.copytree(run / "deployment", tmp_path / "build"))
    assert report.verdict == "fits"
    assert (report.trainings, report.widths) == ((), ())
    assert [arena.title for arena in report.arenas] == ["pruned"]


def test_a_file_alone_is_held_against_a_budget(tmp_path):
    path = tmp_path / "net.tflite"
    path.write_bytes(tflite(4, "net"))
    assert read_report(path).verdict is None
    report = read_report(path, Budget(macs=100))
    assert (report.verdict, report.headline) == ("exceeds", "Exceeds the budget")
    assert [limit.spare for limit in report.limits] == [100 - 512]
    assert report.comparison[0].before is None


def test_resources_over_the_epochs_come_with_their_limits(run):
    pruning = read_report(run).trainings[1]
    assert [(s.label, s.values, s.limit) for s in pruning.resources] == [
        ("flash B", (3000.0, 1500.0), 2000.0)
    ]


def test_a_folder_knows_its_own_budget(run):
    with pytest.raises(InputError, match="brings its own budget"):
        read_report(run, Budget(macs=1))


def test_other_folders_are_refused(tmp_path):
    with pytest.raises(InputError, match=r"no report\.json beside a model\.tflite"):
        read_report(tmp_path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda _: "{", "no readable JSON"),
        (lambda _: "[]", "lacks resources, accuracy, arena, budget"),
        (lambda report: json.dumps({**report, "agreement": {}}), "lacks 'litert_vs_keras'"),
    ],
)
def test_reports_of_something_else_are_refused(tmp_path, change, message):
    run = write_run(tmp_path / "run")
    path = run / "deployment" / "report.json"
    path.write_text(change(json.loads(path.read_text())))
    with pytest.raises(InputError, match=message):
        read_report(run)


def test_a_deployment_outside_a_run_says_what_limits_it(tmp_path):
    run = write_run(tmp_path / "run")
    path = run / "deployment" / "report.json"
    found = json.loads(path.read_text())
    del found["limit"]
    path.write_text(json.dumps(found))
    # 896 of 2,000 B of flash is more than 1,568 of 4,000 B of arena and 512 of 5,000 MACs.
    assert read_report(run).limited_by.startswith("Flash limits the model (45% of the budget)")


def test_firmware_projects_are_linked(tmp_path):
    run = write_run(tmp_path / "run")
    project = run / "deployment" / "zephyr" / "src"
    project.mkdir(parents=True)
    (project / "main.c").write_text("int main;")
    assert read_report(run).files[-1] == LinkedFile("zephyr/", "firmware project", 9)


def test_a_board_that_is_gone_leaves_times_out(tmp_path):
    run = write_run(tmp_path / "run")
    path = run / "deployment" / "report.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "board": "boards/gone.yaml"}))
    report = read_report(run)
    assert (report.verdict, report.cycles_for) == ("fits", None)
    assert ("Board", "boards/gone.yaml") in report.facts
    with pytest.raises(InputError, match="is not readable"):
        read_report(run, board="boards/gone.yaml")
