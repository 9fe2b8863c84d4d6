"""Which points of a dataset a surrogate has not been trained on."""

from __future__ import annotations

from typing import Any

import numpy as np

from pyamp.datasets import Dataset
from pyamp.errors import PyampError


def held_out_points(dataset: Dataset, header: dict[str, Any], name: str) -> tuple[Dataset, str]:
    """Points on which calibration may be measured.

    Parameters
    ----------
    dataset : Dataset
    header : dict
        Of the model file; its ``training`` entry says which dataset it was trained on and how that was split.
    name : str
        Of the dataset, for errors.

    Returns
    -------
    tuple
        All points, or the test split if it is the dataset that the surrogate was trained on; and in words which.

    Raises
    ------
    PyampError
        The dataset is of another process, or holds points that were trained on and no split is known.
    """
    process, info = header["process"], dataset.info
    legs, expected = list(info.process.pdg_ids), list(process["pdg_ids"])
    if legs != expected or info.process.n_incoming != process["n_incoming"]:
        raise PyampError(
            f"{name}: legs {legs}, but the model's are {expected}; give a dataset of its process"
        )
    for power in ("alpha_s_power", "alpha_power"):
        if getattr(info, power) != header["couplings"][power]:
            raise PyampError(
                f"{name}: {power} is {getattr(info, power)}, but the model's is {header['couplings'][power]}; "
                "give a dataset of its amplitude"
            )
    training = header["training"]
    if training.get("dataset_sha256") == dataset.sha256():
        return _test_split(dataset, training, name), "test split of the training dataset"
    # The first points of the test split lie behind all training points, so where they are, those are too. One
    # coordinate of an outgoing leg tells points apart.
    test_points = np.reshape(header["self_test"]["momenta"], (-1, len(expected), 4))
    leg = process["n_incoming"]
    if np.isin(test_points[:, leg, 1], dataset.momenta[:, leg, 1]).any():
        raise PyampError(
            f"{name}: holds points of the training dataset of the model, and more; "
            "generate points with another seed, or give the training dataset itself for its test split"
        )
    if "dataset_sha256" not in training:
        return dataset, "all points; the model file does not say what it was trained on"
    return dataset, "all points"


def _test_split(dataset: Dataset, training: dict[str, Any], name: str) -> Dataset:
    """The last points, as training splits them."""
    try:
        sizes = [float(training["config"][f"{part}_fraction"]) for part in ("validation", "test")]
    except (KeyError, TypeError, ValueError):
        raise PyampError(
            f"{name}: is what the model was trained on, and the model file does not say how it was split; "
            "generate points with another seed"
        ) from None
    n_validation, n_test = (round(size * len(dataset)) for size in sizes)
    return dataset.split(len(dataset) - n_validation - n_test, n_validation, n_test)[2]
