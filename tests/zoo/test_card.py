import pytest
import yaml

from mcuprune.errors import InputError
from mcuprune.zoo.card import Making, read_card
from mcuprune.zoo.collection import CARD_FILE, zoo_folder


def changed(tmp_path, **keys):
    values = yaml.safe_load((zoo_folder("digits-small") / CARD_FILE).read_text())
    path = tmp_path / "card.yaml"
    path.write_text(yaml.safe_dump({**values, **keys}))
    return path


def test_the_command_quotes_what_a_shell_would_take_apart():
    making = Making(name="digits", seed=3, overrides=("budget.sram=3 KiB",))
    assert making.command == "mcuprune run digits --seed 3 --set 'budget.sram=3 KiB'"


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"sha256": "abc"}, "sha256"),
        ({"accuracy": {"float32": 1.2, "int8": 0.9, "inputs": 300}}, "accuracy.float32"),
        ({"licence": "MIT"}, "licence"),
    ],
)
def test_errors_name_the_key(tmp_path, keys, message):
    with pytest.raises(InputError, match=message):
        read_card(changed(tmp_path, **keys))


def test_an_unchanged_card_is_read(tmp_path):
    assert read_card(changed(tmp_path)).name == "digits-small"
