from __future__ import annotations

import json

import pytest
from rounding_networks import NETWORKS, noise

import mcuprune
from mcuprune.errors import InputError, UnknownNameError

SAMPLES = noise(50, 8, 8, 2)


@pytest.fixture(scope="module")
def models():
    model = NETWORKS["residual"]()
    return {"ptq": model, "qat": mcuprune.quantize_aware(model, SAMPLES)}


@pytest.mark.parametrize("method", ["ptq", "qat"])
def test_deploy_knows_what_a_model_is_made_for(models, method, tmp_path):
    deployment = mcuprune.deploy(models[method], SAMPLES, tmp_path / "out")
    assert deployment.quantization == method
    assert json.loads((tmp_path / "out" / "report.json").read_text())["quantization"] == method
    # Noise in, noise out: nearly all of the 50 answers are those of the model itself.
    assert deployment.verification.litert_vs_keras >= 0.9


@pytest.mark.parametrize(
    ("method", "wanted", "advice"),
    [("ptq", "qat", "mcuprune.quantize_aware"), ("qat", "ptq", "it was prepared from")],
)
def test_the_other_way_is_refused_before_anything_is_done(models, method, wanted, advice, tmp_path):
    with pytest.raises(InputError, match=rf"'{wanted}' was asked for.*{advice}"):
        mcuprune.deploy(models[method], SAMPLES, tmp_path / "out", quantization=wanted)
    assert not (tmp_path / "out").exists()


def test_an_unknown_way_is_refused(models, tmp_path):
    with pytest.raises(UnknownNameError, match=r"'QAT': did you mean 'qat'\?"):
        mcuprune.deploy(models["qat"], SAMPLES, tmp_path / "out", quantization="QAT")
