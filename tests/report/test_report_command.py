"""``mcuprune report``: what it writes and what it prints."""

from __future__ import annotations

import json
import shutil

import pytest
from run_folder import tflite
from typer.testing import CliRunner

from mcuprune.cli import app


@pytest.fixture
def own_run(run, tmp_path):
    return shutil.copytree(run, tmp_path / "own")


def invoke(*arguments):
    return CliRunner().invoke(app, ["report", *map(str, arguments)])


def test_a_run_gets_its_page_into_the_deployment(own_run):
    done = invoke(own_run)
    assert done.exit_code == 0
    assert done.stdout.startswith("Fits the budget.\nWritten: ")
    page = (own_run / "deployment" / "report.html").read_text()
    assert 'href="model.tflite"' in page
    assert (own_run / "deployment" / "report.md").read_text().startswith("# Fits the budget")


def test_a_page_elsewhere_links_to_the_files(own_run, tmp_path):
    assert invoke(own_run, "--out", tmp_path / "pages" / "kws.html").exit_code == 0
    page = (tmp_path / "pages" / "kws.html").read_text()
    assert 'href="../own/deployment/model.tflite"' in page
    assert (tmp_path / "pages" / "kws.md").is_file()
    assert not (own_run / "deployment" / "report.html").exists()


def test_json_alone_on_stdout(own_run):
    report = json.loads(invoke(own_run, "--json").stdout)
    assert report["verdict"] == "fits"
    assert [limit["required"] for limit in report["limits"]][2] == 512
    assert report["files_written"]["page"].endswith("deployment/report.html")


def test_markdown_alone_on_stdout(own_run):
    done = invoke(own_run, "--markdown")
    assert done.stdout == (own_run / "deployment" / "report.md").read_text()


def test_a_file_against_limits(tmp_path):
    path = tmp_path / "net.tflite"
    path.write_bytes(tflite(4, "net"))
    done = invoke(path, "--macs", "100", "--json")
    report = json.loads(done.stdout)
    assert (done.exit_code, report["verdict"]) == (0, "exceeds")
    assert (tmp_path / "net.html").is_file()


def test_a_file_on_a_board(tmp_path):
    path = tmp_path / "net.tflite"
    path.write_bytes(tflite(4, "net"))
    report = json.loads(invoke(path, "--board", "nucleo-l4r5zi", "--json").stdout)
    assert report["verdict"] == "fits"
    assert {limit["name"] for limit in report["limits"]} == {"sram", "flash"}
    assert all(operator["cycles"] > 0 for operator in report["operators"])


def test_bad_input(tmp_path):
    assert invoke(tmp_path).exit_code == 2
    assert invoke(tmp_path / "absent.tflite").exit_code == 2
