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


def sherpa_speed_factors(truth_run: dict[str, Any] | None, surrogate_run: dict[str, Any]) -> SpeedFactors:
    """Speed factors from a run with the truth and one with a second stage, of the same process and cuts.

    Times are means over the event phase of the run with the surrogate, a point being a trial within the cuts. Errors
    are binomial; those of times, of N_eff/N and of roulette's mean p are not known from a single run and count as 0.
    Roulette accepts every event and asks the truth for a share ⟨p⟩ of them: ε_2nd is 1, x_max NaN.

    Parameters
    ----------
    truth_run : dict or None
        See :func:`read_summary`. Without one, ε_full is what the run with the surrogate would have if the truth had its
        maximum, ε_1st ⟨x⟩, as Sherpa's maxima vary from run to run by more than surrogates differ from the truth.
    surrogate_run : dict
        With MODE two_stage or roulette.
    """
    gain, second = surrogate_run["gain"], surrogate_run["second_stage"]
    is_roulette = surrogate_run["mode"] == "roulette"
    x_max, mean_p = (math.nan, float(gain["mean_p"])) if is_roulette else (float(gain["x_max"]), 1.0)
    value = Efficiencies(
        w_max=math.nan,
        s_max=math.nan,
        x_max=x_max,
        epsilon_full=float((truth_run or surrogate_run)["gain"]["epsilon_full"]),
        epsilon_1st=float(gain["epsilon_1st"]),
        epsilon_2nd=float(gain["epsilon_2nd"]),
        mean_p=mean_p,
        n_eff_over_n=float(gain["n_eff_over_n"]),
        n_eff_over_n_standard=1.0,
        negative_share=second.get("negative", 0) / second["seen"],
    )
    trials = (
        (truth_run or surrogate_run)["events"]["points"],
        surrogate_run["events"]["points"],
        second["seen"],
    )
    epsilon = (value.epsilon_full, value.epsilon_1st, value.epsilon_2nd)
    errors = [math.sqrt(e * (1 - e) / n) for e, n in zip(epsilon, trials, strict=True)]
    error = Efficiencies(
        w_max=math.nan,
        s_max=math.nan,
        x_max=math.nan if is_roulette else 0.0,
        epsilon_full=errors[0],
        epsilon_1st=errors[1],
        epsilon_2nd=errors[2],
        mean_p=0.0,
        n_eff_over_n=0.0,
        n_eff_over_n_standard=0.0,
        negative_share=0.0,
    )
    times = Times(float(gain["t_me_ms"]), float(gain["t_ps_ms"]), float(gain["t_surr_ms"]))
    # T_surrogate = (first + second)/epsilon_2nd with first alone proportional to 1/epsilon_1st.
    first = (times.t_surr + times.t_ps) / value.epsilon_1st
    f_eff = value.f_eff(times)
    share = first / (first + mean_p * times.t_me)
    relative = [share * errors[1] / epsilon[1], errors[2] / epsilon[2]]
    if truth_run:
        relative.append(errors[0] / epsilon[0])
    else:  # f_eff is proportional to epsilon_1st over T_surrogate's part that is, so that (1 - share) is left of it
        relative[0] = (1 - share) * errors[1] / epsilon[1]
    return SpeedFactors(
        value=value,
        error=error,
        times=times,
        time_errors=Times(0.0, 0.0, 0.0),
        f_eff=f_eff,
        f_eff_err=f_eff * math.hypot(*relative),
        f_eff_limit=value.f_eff_limit(times),
    )
