"""Are process cards read strictly, and are mistakes explained in one line?"""

import importlib.resources

import pytest
import yaml

from pyamp.errors import PyampError
from pyamp.processes import available_processes, load_process


@pytest.fixture
def card():
    path = importlib.resources.files("pyamp") / "cards" / "gg_to_aag_lhc13.yaml"
    return yaml.safe_load(path.read_text())


def write(tmp_path, card):
    path = tmp_path / "card.yaml"
    path.write_text(yaml.safe_dump(card))
    return path


def test_every_card_of_the_package_loads():
    assert available_processes() == [
        "gg_to_aag_1tev",
        "gg_to_aag_lhc13",
        "gg_to_aagg_1tev",
        "gg_to_aagg_lhc13",
        "gg_to_eegdd_1tev",
        "gg_to_eegdd_lhc13",
        "gg_to_eeggdd_lhc13",
    ]
    for name in available_processes():
        assert load_process(name).name == name


def test_domain_follows_from_cuts_and_beams(tmp_path, card):
    assert load_process("gg_to_aag_lhc13").domain()["sqrt_s_hat"] == [90, 13000]
    assert load_process("gg_to_aag_1tev").domain()["sqrt_s_hat"] == [1000, 1000]
    card["energy"] |= {"sqrt_s_hat_min": 200, "sqrt_s_hat_max": 3000}
    assert load_process(write(tmp_path, card)).domain()["sqrt_s_hat"] == [200, 3000]


def test_default_cuts_are_those_of_the_paper():
    assert load_process("gg_to_aag_1tev").domain()["cuts"] == {
        "pt_min": {"22": [40, 30], "21": 20},
        "abs_eta_max": {"22": 2.37, "21": 5},
        "delta_r_min": {"22,22": 0.4, "22,21": 0.4},
    }


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"pdgids": [1]}, "unknown key 'pdgids'; did you mean 'pdg_ids'?"),
        ({"energy": {"sqrt_shat": 1000}}, "unknown key 'energy.sqrt_shat'; did you mean 'sqrt_s_hat'?"),
        ({"cuts": {"eta_max": {22: 2}}}, "unknown key 'cuts.eta_max'; did you mean 'abs_eta_max'?"),
        ({"energy": {}}, "energy: expected either sqrt_s_hat (fixed) or sqrt_s (hadron beams), in GeV"),
        ({"energy": {"sqrt_s_hat": 500, "sqrt_s_hat_min": 100}}, "sqrt_s_hat_min has no meaning beside"),
        ({"energy": {"sqrt_s": 80}}, "sqrt_s_hat from 90 to 80 GeV at sqrt_s = 80 GeV; expected 0 < minimum"),
        ({"energy": {"sqrt_s": "high"}}, "key 'energy.sqrt_s' is 'high'; input should be a valid number"),
        ({"cuts": {"pt_min": {11: 20}}}, "species 11, which is no outgoing leg"),
        ({"cuts": {}}, "expected 0 < minimum"),
        ({"pdg_ids": [21, 21, 22]}, "key 'pdg_ids'"),
    ],
)
def test_mistakes_are_explained(tmp_path, card, change, text):
    path = write(tmp_path, card | change)
    with pytest.raises(PyampError) as error:
        load_process(path)
    message = str(error.value)
    assert message.startswith(f"{path}: ")
    assert text in message
    assert "\n" not in message


def test_missing_key_is_named(tmp_path, card):
    del card["amplitude"]
    with pytest.raises(PyampError, match="key 'amplitude' is missing"):
        load_process(write(tmp_path, card))


@pytest.mark.parametrize(
    ("text", "expected"),
    [("a: [1, 2", "not valid YAML in line"), ("- 1", "the whole is"), ("", "the whole is None")],
)
def test_files_that_are_no_cards(tmp_path, text, expected):
    path = tmp_path / "card.yaml"
    path.write_text(text)
    with pytest.raises(PyampError, match=expected):
        load_process(path)


def test_unknown_names_and_missing_files():
    with pytest.raises(PyampError, match="did you mean 'gg_to_aag_lhc13'"):
        load_process("gg_to_aag_lhc14")
    with pytest.raises(PyampError, match=r"nowhere/card\.yaml: cannot read: No such file"):
        load_process("nowhere/card.yaml")
