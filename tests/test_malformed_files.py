"""Damaged files that once made something else than an error of this package, and fresh ones."""

import random
from pathlib import Path

import pytest
from malformed.mutations import Seed, damaged, random_bytes
from malformed.targets import TARGETS, outcomes
from malformed_files import Tally, file_of, try_again

from mcuprune.errors import McupruneError

CORPUS = sorted((Path(__file__).parent / "data" / "malformed").glob("*.tflite"))
SOUND = Path(__file__).parent / "data" / "malformed" / "softmax_of_a_tiny_scale.tflite"


def result_of(target, path):
    try:
        TARGETS[target](path)
    except McupruneError as error:
        return str(error)
    return "taken"


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.stem)
@pytest.mark.parametrize("target", TARGETS)
def test_no_file_of_the_corpus_makes_another_error(path, target):
    assert result_of(target, path)


def test_a_buffer_whose_field_lies_outside_is_refused_by_all():
    path = SOUND.with_name("buffer_field_outside_its_table.tflite")
    for target in TARGETS:
        assert "field 1 at offset 6 lies outside the table's 8 bytes" in result_of(target, path)


@pytest.mark.parametrize(
    ("name", "target", "problem"),
    [
        ("quantized_dimension_outside_its_table", "codegen", "field 6 at offset 2 lies outside"),
        ("operator_field_outside_its_table", "optimize", "field 9 at offset 1 lies outside"),
        ("model_field_outside_its_table", "optimize", "field 10 at offset 3 lies outside"),
        ("multiplier_of_absurd_scales", "codegen", "kernels apply less than 2**31"),
        ("arena_over_2_gib", "optimize", "plans end at 2,147,483,648"),
        ("operators_in_a_circle", "estimate", "operator 1 (CONV_2D) reads tensor 11, which"),
        ("operators_in_a_circle", "check", "operator 2 (MAX_POOL_2D) writes only then"),
        ("dense_weights_of_four_axes", "codegen", "should have 2 axes"),
    ],
)
def test_the_error_names_the_defect(name, target, problem):
    assert problem in result_of(target, SOUND.with_name(f"{name}.tflite"))


def test_weights_of_a_dense_layer_may_have_more_axes_for_an_estimate():
    assert result_of("estimate", SOUND.with_name("dense_weights_of_four_axes.tflite")) == "taken"


def test_defects_that_a_file_no_longer_shows_are_kept_as_mended():
    seeds, tally = [Seed.of("model", SOUND.read_bytes())], Tally(9)
    tally.take(3, "check", "defect", "KeyError in a.py:b: 12", 0.25)
    try_again(seeds, tally)
    assert tally.defects == {}
    assert tally.mended == {"check: KeyError in a.py:b: #": {"files": 1, "first": 3}}
    assert tally.results == {"check defect": 1}


def test_the_same_number_makes_the_same_file():
    seeds = [Seed.of("model", SOUND.read_bytes())]
    assert file_of(7, seeds) == file_of(7, seeds)
    assert len({file_of(case, seeds) for case in range(50)}) > 45


def test_damage_falls_where_the_structure_is():
    data = SOUND.read_bytes()
    seed = Seed.of("model", data)
    chance = random.Random(0)
    changed = [damaged(seed, [seed], chance) != data for _ in range(100)]
    assert sum(changed) > 90
    assert all(0 <= start < end <= len(data) for start, end in seed.structure)


def test_random_bytes_have_the_mark_of_a_model_now_and_then():
    chance = random.Random(0)
    marked = [random_bytes(chance)[4:8] == b"TFL3" for _ in range(200)]
    assert 60 < sum(marked) < 140


def test_a_hundred_damaged_files_are_taken_or_refused(tmp_path):
    seeds, path = [Seed.of("model", SOUND.read_bytes())], tmp_path / "model.tflite"
    for case in range(100):
        path.write_bytes(file_of(case, seeds))
        defects = {n: o.detail for n, o in outcomes(path).items() if o.result == "defect"}
        assert not defects, f"file {case}"


def test_defects_are_counted_by_kind():
    tally = Tally(0)
    for case in (3, 5):
        tally.take(case, "check", "defect", "KeyError in a.py:b: 'c'", 0.25)
    tally.take(6, "check", "taken", "", 0.5)
    assert tally.results == {"check defect": 2, "check taken": 1}
    assert tally.defects == {"check: KeyError in a.py:b: 'c'": {"files": 2, "first": 3}}
    assert tally.slowest == {"check": 0.5}
