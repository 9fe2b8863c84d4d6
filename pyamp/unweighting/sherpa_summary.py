"""Speed factors of a Sherpa run, from the summaries that the plugin writes (``PYAMP: {SUMMARY: path}``)."""

import math
from pathlib import Path
from typing import Any

import yaml

from pyamp.errors import PyampError
from pyamp.unweighting.speed_factors import Efficiencies, SpeedFactors, Times


def read_summary(path: str | Path, mode: str) -> dict[str, Any]:
    """Read the summary of a run with ``MODE: mode``."""
    try:
        summary = yaml.safe_load(Path(path).read_text())
    except (OSError, yaml.YAMLError) as error:
        raise PyampError(f"{path}: cannot read the summary of a Sherpa run ({error})") from None
    found = summary.get("mode") if isinstance(summary, dict) else None
    if found != mode:
        raise PyampError(f"{path}: MODE {found} found, the summary of a run with MODE {mode} expected")
    return dict(summary)


def sherpa_speed_factors(truth_run: dict[str, Any], two_stage_run: dict[str, Any]) -> SpeedFactors:
    """Speed factors from a run with the truth and one with two stages, of the same process and cuts.

    Times are means over the event phase of the run with two stages, a point being a trial within the cuts. Errors
    are binomial; those of times and of N_eff/N are not known from a single run and count as 0.

    Parameters
    ----------
    truth_run, two_stage_run : dict
        See :func:`read_summary`.
    """
    gain, second = two_stage_run["gain"], two_stage_run["second_stage"]
    value = Efficiencies(
        w_max=math.nan,
        s_max=math.nan,
        x_max=float(gain["x_max"]),
        epsilon_full=float(truth_run["gain"]["epsilon_full"]),
        epsilon_1st=float(gain["epsilon_1st"]),
        epsilon_2nd=float(gain["epsilon_2nd"]),
        mean_p=1.0,
        n_eff_over_n=float(gain["n_eff_over_n"]),
        n_eff_over_n_standard=1.0,
        negative_share=0.0,
    )
    trials = (truth_run["events"]["points"], two_stage_run["events"]["points"], second["seen"])
    epsilon = (value.epsilon_full, value.epsilon_1st, value.epsilon_2nd)
    errors = [math.sqrt(e * (1 - e) / n) for e, n in zip(epsilon, trials, strict=True)]
    error = Efficiencies(
        w_max=math.nan,
        s_max=math.nan,
        x_max=0.0,
        epsilon_full=errors[0],
        epsilon_1st=errors[1],
        epsilon_2nd=errors[2],
        mean_p=0.0,
        n_eff_over_n=0.0,
        n_eff_over_n_standard=0.0,
        negative_share=0.0,
    )
    times = Times(float(gain["t_me_ms"]), float(gain["t_ps_ms"]), float(gain["t_surr_ms"]))
    f_eff = value.f_eff(times)
    # T_surrogate = first + second with first alone proportional to 1/epsilon_1st.
    first = (times.t_surr + times.t_ps) / value.epsilon_1st
    share = first / (first + times.t_me)
    relative = (errors[0] / epsilon[0], share * errors[1] / epsilon[1], errors[2] / epsilon[2])
    return SpeedFactors(
        value=value,
        error=error,
        times=times,
        time_errors=Times(0.0, 0.0, 0.0),
        f_eff=f_eff,
        f_eff_err=f_eff * math.hypot(*relative),
        f_eff_limit=value.f_eff_limit(times),
    )
