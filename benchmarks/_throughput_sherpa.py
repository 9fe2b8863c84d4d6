"""What a call costs inside Sherpa: as the plugin's stopwatch sees it, and how much of that is libpyamp."""

import dataclasses
import os
from pathlib import Path

import _throughput_backends as backends
import _throughput_nets as nets
import numpy as np

from pyamp import sherpa
from pyamp.paths import library

PROCESS = "gg_to_aag_lhc13"


def measure(name: str, folder: Path, quick: bool) -> dict[str, object]:
    """A row for one net, made for p p at 13 TeV: medians over calls, then over runs.

    The plugin's call begins with Sherpa's momenta and ends with the amplitude as Sherpa wants it; "inner" is
    ``pyamp_evaluate`` within, "alone" the same in a loop of its own, with all it needs in the caches.
    """
    net = next(net for net in nets.NETS if net.name == name)
    net = dataclasses.replace(net, process=PROCESS)
    momenta = nets.sample(net, 4096)
    surrogate = nets.build(net, momenta)
    model = nets.write(folder / f"{name}_lhc13.safetensors", net, surrogate, momenta)
    plain = nets.PlainNetwork(surrogate, False)
    alone = backends.pyamp_c_interface(backends.Task(net, surrogate, model, plain, True, 1, momenta), "fused")
    trace = backends.compiled("call_trace")
    out = folder / "trace.txt"
    environment = {
        "LD_PRELOAD": str(trace),
        "CALL_TRACE": str(out),
        "CALL_TRACE_LIBRARY": str(library("pyamp")),
    }
    in_sherpa, alone_ns = [], []
    for seed in range(1, 3 if quick else 6):
        alone_ns += [1e9 * alone.seconds(20_000) / 20_000 for _ in range(5)]
        settings = {"PYAMP": {"MODEL": str(model), "LIBRARY": str(trace)}, "PSI": {"ITMIN": 500}}
        os.environ.update(environment)
        try:
            directory = folder / f"{name}_{seed}"
            sherpa.run(
                sherpa.card_path("surrogate"), directory, settings, n_events=200, seed=seed, timeout=600
            )
        finally:
            for key in environment:
                del os.environ[key]
        in_sherpa.append([float(value) for value in out.read_text().split()])
    calls, q10, whole, q90, _, inner, _ = np.median(in_sherpa, axis=0)
    return {
        "where": "sherpa",
        "net": net.name,
        "batch": 1,
        "dtype": net.dtype_name,
        "device": "cpu",
        "calls": int(calls),
        "ns_whole": float(whole),
        "ns_whole_q10": float(q10),
        "ns_whole_q90": float(q90),
        "ns_inner": float(inner),
        "ns_alone": float(np.median(alone_ns)),
        "ns_of_plugin": float(whole - inner),
    }
