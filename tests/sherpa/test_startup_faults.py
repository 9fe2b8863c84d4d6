"""Does whatever is wrong with card or model stop Sherpa before it integrates, with one line that says what to do?"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

from pyamp.errors import PyampError
from pyamp.sherpa import LOG, card_path, run, run_card
from tests.sherpa.conftest import process, selectors


def refused(
    directory: Path, *texts: str, card: str = "partonic", model: Path | None = None, **settings: Any
) -> None:
    """Sherpa exits with 1, before any event, and its line holds the texts."""
    with pytest.raises(PyampError) as error:
        run_card(card, model, directory, settings, timeout=60)
    message = str(error.value)
    assert "Sherpa stopped with exit code 1: " in message
    for text in texts:
        assert text in message
    log = (directory / LOG).read_text()
    assert "Starting the calculation" not in log
    line = message.removeprefix("Sherpa stopped with exit code 1: ").removesuffix(
        f" (log: {directory / LOG})"
    )
    assert f"\npyamp: {line}\n" in log


def rewritten(
    source: Path, target: Path, change: Callable[[dict[str, Any]], None], version: str = "1"
) -> Path:
    """A copy of a model file with a changed header and right hashes."""
    with safe_open(source, "numpy") as file:
        header = json.loads(file.metadata()["header"])
    change(header)
    text = json.dumps(header)
    digest = hashlib.sha256(text.encode()).hexdigest()
    metadata = {"format": "pyamp", "format_version": version, "header": text, "header_sha256": digest}
    save_file(load_file(source), target, metadata)
    return target


@pytest.mark.parametrize(
    ("block", "texts"),
    [
        ({"MODDE": "truth"}, ("unknown key MODDE in PYAMP", "nearest known one is MODE")),
        ({"x_max": 2}, ("unknown key x_max", "nearest known one is X_MAX")),
        ({"MODE": "surogate"}, ("MODE is surogate", "roulette, surrogate, truth, two_stage")),
        ({"MODE": "surrogate"}, ("MODEL is missing", "give the path of a model file")),
        ({"OUTSIDE_DOMAIN": "nan"}, ("OUTSIDE_DOMAIN is nan", "error, truth")),
        ({"DTYPE": "float16"}, ("DTYPE is float16", "float32, float64")),
        ({"X_MAX": "ten"}, ("X_MAX is ten", "give a number above 0")),
        ({"X_MAX": -1}, ("X_MAX is -1",)),
        ({"X_MAX": "automatic"}, ("X_MAX is automatic", "1e+30, or auto")),
        ({"Y_MAX": "ten"}, ("Y_MAX is ten", "1e+30, or auto")),
        ({"KAPPA": 0, "P_MIN": 0.1}, ("KAPPA is 0", "a number above 0")),
        ({"P_MIN": 1.1, "KAPPA": 1}, ("P_MIN is 1.1", "not above 1")),
        ({"KAPPA": 1}, ("KAPPA without P_MIN found", "give both, or neither")),
        ({"P_MIN": 0.1}, ("P_MIN without KAPPA found", "give both, or neither")),
        ({"N_EFF_OVER_N": 99}, ("N_EFF_OVER_N is 99", "not above 1")),
        ({"BUDGET": 0.9}, ("BUDGET is 0.9", "not above 0.5")),
        ({"WARM_UP": 5}, ("WARM_UP is 5", "a whole number above 9")),
        (
            {"MODE": "two_stage", "MODEL": "any", "X_MAX": 1.2, "WARM_UP": 100},
            ("WARM_UP and X_MAX found", "drop one of them, or give X_MAX: auto"),
        ),
        (
            {"MODE": "roulette", "MODEL": "any", "KAPPA": 1, "P_MIN": 0.1, "WARM_UP": 100},
            ("WARM_UP and KAPPA and P_MIN found", "drop one of them"),
        ),
        ({"EPSILON_FULL": 1.5}, ("EPSILON_FULL is 1.5", "not above 1")),
        ({"SEED": 0.5}, ("SEED is 0.5", "whole number")),
        ({"SEED": [1, 2]}, ("SEED takes a single value",)),
        ({"TRUTH": "gg_to_aaag"}, ("gg_to_aaag", "gg_to_aag")),
        ({"LIBRARY": "/nowhere/libpyamp.so"}, ("/nowhere/libpyamp.so: cannot be opened", "LIBRARY: path")),
        ({"LIBRARY": "libm.so.6"}, ("libm.so.6: no function pyamp_capi_version", "LIBRARY: path")),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_card_block(run_directory: Path, block: dict[str, Any], texts: tuple[str, ...]) -> None:
    refused(run_directory, *texts, PYAMP=block)


def test_record_file_that_cannot_be_written(run_directory: Path) -> None:
    block = {"RECORD_POINTS": 1, "RECORD_FILE": "/nowhere/points.csv"}
    with pytest.raises(PyampError, match=r"/nowhere/points\.csv: cannot be written"):
        run_card("partonic", None, run_directory, {"PYAMP": block})


def test_block_that_is_none(run_directory: Path, tmp_path: Path) -> None:
    card = tmp_path / "card.yaml"
    lines = [
        line
        for line in card_path("partonic").read_text().splitlines()
        if not line.startswith(("PYAMP", "  "))
    ]
    card.write_text("\n".join(lines))
    with pytest.raises(PyampError, match="MODE is missing; give one of"):
        run(card, run_directory, {"PROCESSES": process()})


@pytest.mark.parametrize("mode", ["two_stage", "roulette"])
def test_second_stage_without_its_hook(run_directory: Path, golden: Path, mode: str) -> None:
    texts = (f"MODE {mode} found without its hook", "add USERHOOKS: [PyAmp]")
    refused(run_directory, *texts, PYAMP={"MODE": mode}, model=golden)


def test_no_such_model(run_directory: Path) -> None:
    refused(run_directory, "none.safetensors", PYAMP={"MODE": "surrogate", "MODEL": "none.safetensors"})


def test_truth_given_as_model(run_directory: Path) -> None:
    block = {"MODE": "surrogate", "MODEL": "builtin:gg_to_aag"}
    refused(run_directory, "builtin:gg_to_aag: a truth found, a surrogate expected", PYAMP=block)


def test_damaged_model(run_directory: Path, golden: Path, tmp_path: Path) -> None:
    content = bytearray(golden.read_bytes())
    content[-5] ^= 1
    model = tmp_path / "damaged.safetensors"
    model.write_bytes(content)
    refused(run_directory, str(model), model=model, PYAMP={"MODE": "surrogate"})


def test_newer_model(run_directory: Path, golden: Path, tmp_path: Path) -> None:
    model = rewritten(golden, tmp_path / "newer.safetensors", lambda _: None, version="2")
    refused(run_directory, str(model), "version 2", model=model, PYAMP={"MODE": "surrogate"})


def test_model_of_another_process(run_directory: Path, golden: Path, tmp_path: Path) -> None:
    model = rewritten(
        golden,
        tmp_path / "quarks.safetensors",
        lambda header: header["process"].update(pdg_ids=[1, -1, 22, 22, 21]),
    )
    refused(
        run_directory,
        f"{model}: process 1 -1 -> 22 22 21 found, 21 21 -> 22 22 21 of TRUTH builtin:gg_to_aag expected",
        model=model,
        PYAMP={"MODE": "surrogate"},
    )


def test_model_with_other_couplings(run_directory: Path, golden: Path, tmp_path: Path) -> None:
    model = rewritten(
        golden, tmp_path / "orders.safetensors", lambda header: header["couplings"].update(alpha_s_power=2)
    )
    refused(run_directory, "alpha_s^2 alpha^2", "alpha_s^3 alpha^2", model=model, PYAMP={"MODE": "surrogate"})


def test_model_without_x_max(run_directory: Path, golden: Path, tmp_path: Path) -> None:
    model = rewritten(golden, tmp_path / "bare.safetensors", lambda header: header["metrics"].clear())
    refused(
        run_directory,
        "no x_max found",
        "give PYAMP: {X_MAX: number}",
        "X_MAX: auto",
        card="two_stage",
        model=model,
    )


def test_card_of_another_process(run_directory: Path) -> None:
    refused(
        run_directory,
        "process 21 21 -> 22 22 21 found, 21 21 -> 22 22 22 of the run card expected",
        PROCESSES=process("21 21 -> 22 22 22", Integrator="Rambo"),
    )


def test_card_with_other_orders(run_directory: Path) -> None:
    refused(
        run_directory,
        "Order: {QCD: 2, EW: 2} found, {QCD: 3, EW: 2} of builtin:gg_to_aag expected",
        PROCESSES=process(Order={"QCD": 2, "EW": 2}),
    )


def test_hook_without_the_matrix_element(run_directory: Path) -> None:
    """A process of another generator: the hook would find nothing to correct."""
    with pytest.raises(PyampError, match="USERHOOKS has PyAmp, but no process uses it"):
        run_card(
            "partonic",
            None,
            run_directory,
            {
                "ME_GENERATORS": ["Comix"],
                "PROCESSES": [{"21 21 -> 21 21": {"Order": {"QCD": 2, "EW": 0}}}],
                "SELECTORS": [["PT", 21, 100, "E_CMS"]],
                "PSI": {"ITMIN": 100},
                "USERHOOKS": ["PyAmp"],
            },
            timeout=60,
        )


def test_channel_without_a_gluon_cut(run_directory: Path) -> None:
    refused(run_directory, "no lower cut on p_T of 21", SELECTORS=selectors(40, 30, 0))


STRICT = {"MODE": "surrogate", "OUTSIDE_DOMAIN": "error"}


@pytest.mark.parametrize(
    ("settings", "texts"),
    [
        ({"BEAM_ENERGIES": 7000}, ("E_CMS of the beams is 14000 GeV", "ends at 13000 GeV")),
        ({"SELECTORS": selectors(40, 25, 20)}, ("p_T of leg 2 of 22 down to 25 GeV", "begins at 30 GeV")),
        ({"SELECTORS": selectors(30, 30, 20)}, ("p_T of leg 1 of 22 down to 30 GeV", "begins at 40 GeV")),
        ({"SELECTORS": selectors(40, 30, 15)}, ("p_T of leg 1 of 21 down to 15 GeV", "begins at 20 GeV")),
        (
            {"SELECTORS": [*selectors(40, 30, 20)[:3], ["Eta", 22, -3, 2.37], *selectors(40, 30, 20)[4:]]},
            ("|eta| of 22 up to 3", "ends at 2.37"),
        ),
        ({"SELECTORS": selectors(40, 30, 20)[:-1]}, ("Delta R of 22,21 down to 0", "begins at 0.4")),
    ],
    ids=["energy", "softer photon", "harder photon", "gluon", "eta", "delta R"],
)
def test_domain_that_does_not_cover_the_run(
    tmp_path: Path, golden: Path, settings: dict[str, Any], texts: tuple[str, ...]
) -> None:
    refused(
        tmp_path / "error",
        "the domain of the model does not cover the run",
        "OUTSIDE_DOMAIN: truth",
        *texts,
        card="surrogate",
        model=golden,
        PYAMP=STRICT,
        **settings,
    )
    # the same gap is a note where such points go to the truth
    run = run_card("surrogate", golden, tmp_path / "note", {**settings, "PSI": {"ITMIN": 100}}, n_events=1)
    assert f"pyamp: note: {golden}: " in run.log.read_text()


def test_domain_that_covers_the_run(run_directory: Path, golden: Path) -> None:
    run = run_card("surrogate", golden, run_directory, {"PYAMP": STRICT, "PSI": {"ITMIN": 100}}, n_events=5)
    assert run.n_events == 5
    assert "pyamp: note" not in run.log.read_text()
