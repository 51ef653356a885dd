from __future__ import annotations

import pytest

from mcuprune.deployment.folder import require_replaceable, whole_folder
from mcuprune.errors import InputError


def write_deployment(folder, content):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "report.json").write_text(content)


def fail(out, error):
    """Write half a deployment, then fail."""
    with whole_folder(out) as folder:
        write_deployment(folder, "new")
        raise error


def test_appears_when_complete(tmp_path):
    out = tmp_path / "build" / "kws"
    with whole_folder(out) as folder:
        (folder / "model").write_text("x")
        assert not out.exists()
    assert (out / "model").read_text() == "x"
    assert [p.name for p in out.parent.iterdir()] == ["kws"]


def test_nothing_is_left_after_an_error(tmp_path):
    with pytest.raises(KeyError):
        fail(tmp_path / "kws", KeyError())
    assert list(tmp_path.iterdir()) == []


def test_a_folder_within_a_folder_appears_with_the_outer_one(tmp_path):
    out = tmp_path / "kws"
    with whole_folder(out) as folder:
        with whole_folder(folder) as within:
            write_deployment(within, "new")
        assert [p.parent for p in tmp_path.rglob("report.json")] == [folder]
        (folder / "report.json").write_text("and more")
    assert (out / "report.json").read_text() == "and more"
    assert [p.name for p in tmp_path.iterdir()] == ["kws"]


def test_interruption_leaves_the_earlier_deployment(tmp_path):
    write_deployment(tmp_path / "kws", "old")
    with pytest.raises(KeyboardInterrupt):
        fail(tmp_path / "kws", KeyboardInterrupt())
    assert (tmp_path / "kws" / "report.json").read_text() == "old"


def test_earlier_deployment_is_replaced_as_a_whole(tmp_path):
    write_deployment(tmp_path / "kws", "old")
    (tmp_path / "kws" / "stale").write_text("x")
    with whole_folder(tmp_path / "kws") as folder:
        write_deployment(folder, "new")
    assert {p.name for p in (tmp_path / "kws").iterdir()} == {"report.json"}
    assert (tmp_path / "kws" / "report.json").read_text() == "new"
    assert [p.name for p in tmp_path.iterdir()] == ["kws"]


def test_other_contents_are_never_replaced(tmp_path):
    (tmp_path / "thesis.tex").write_text("x")
    with pytest.raises(InputError, match="holds other files"):
        require_replaceable(tmp_path)
    with pytest.raises(InputError, match="is a file"):
        require_replaceable(tmp_path / "thesis.tex")


def test_empty_folder_is_used(tmp_path):
    (tmp_path / "kws").mkdir()
    with whole_folder(tmp_path / "kws") as folder:
        write_deployment(folder, "new")
    assert (tmp_path / "kws" / "report.json").read_text() == "new"


def test_folder_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(InputError, match="cannot write"):
        fail(tmp_path / "file" / "kws", KeyError())
    with pytest.raises(InputError, match="No space left"):
        fail(tmp_path / "kws", OSError(28, "No space left on device"))


def test_what_a_killed_process_left_is_cleared_away(tmp_path):
    # One with this number ended long ago on any machine: it is beyond the largest of Linux.
    write_deployment(tmp_path / ".kws.99999999.part", "half")
    write_deployment(tmp_path / "kws", "old")
    with whole_folder(tmp_path / "kws") as folder:
        write_deployment(folder, "new")
    assert [p.name for p in tmp_path.iterdir()] == ["kws"]


def test_a_deployment_that_a_killed_process_moved_away_comes_back(tmp_path):
    write_deployment(tmp_path / ".kws.99999999.old", "old")
    with pytest.raises(KeyError):
        fail(tmp_path / "kws", KeyError())
    assert (tmp_path / "kws" / "report.json").read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["kws"]
