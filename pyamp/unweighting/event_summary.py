"""What came of an unweighting, in words and numbers for people."""

from __future__ import annotations

from pyamp.unweighting.event_file import EventInfo


def summary_rows(info: EventInfo) -> list[tuple[str, str]]:
    """What came of an unweighting: names and values."""
    cross_section, error = info.cross_section()
    rows = [("cross section", f"{cross_section:.5g} ± {error:.2g} pb")]
    direct = info.direct_cross_section()
    if direct:
        # Unweighting adds its noise to that of the points, which both have.
        noise = max(error**2 - direct[1] ** 2, 0.0) ** 0.5
        pull = f", {(cross_section - direct[0]) / noise:+.1f}σ apart" if noise > 0 else ""
        rows.append(("of the points themselves", f"{direct[0]:.5g} ± {direct[1]:.2g} pb{pull}"))
    rows += [
        ("points", f"{info.n_points} of {info.n_trials} trials, {info.n_pilot_points} more in the pilot"),
        ("truth evaluated", f"{info.n_asked}, {info.n_pilot_truth} more in the pilot"),
        ("outside the model's domain", f"{info.n_outside + info.n_pilot_outside}"),
        ("no value of the truth", f"{info.n_failed + info.n_pilot_failed}, counted as weight 0"),
    ]
    if info.screen is not None:
        rows += [
            ("screen", info.screen),
            ("y_max", f"{info.y_max:.4f} ± {info.y_max_error:.4f}"),
            ("surrogate evaluated", f"{info.n_surrogate}, {info.surrogate_share:.2%} of the points"),
        ]
    if info.mode == "direct":
        rows += [
            ("w_max", f"{info.w_max:.4g} ± {info.w_max_error:.2g} pb"),
            ("ε_full", f"{info.epsilon_1st:.4g}"),
        ]
    else:
        rows += [
            ("s_max", f"{info.s_max:.4g} ± {info.s_max_error:.2g} pb"),
            ("ε_1st", f"{info.epsilon_1st:.4g}"),
        ]
    if info.mode == "two_stage":
        rows += [
            ("x_max", f"{info.x_max:.4f} ± {info.x_max_error:.4f}"),
            ("ε_2nd", f"{info.epsilon_2nd:.4g}"),
        ]
    if info.mode == "roulette":
        rows += [
            ("κ, p_min", f"{info.kappa:.4g}, {info.p_min:.4g}"),
            ("⟨p⟩", f"{info.mean_p:.4g}"),
            ("negative weights", f"{info.n_negative}"),
        ]
    times = (
        f"{name} {value:.3g} ms"
        for name, value in zip(
            ("truth", "phase space", "surrogate" if info.screen is None else "screen and surrogate"),
            (info.t_me, info.t_ps, info.t_surr),
            strict=True,
        )
    )
    rows += [
        ("N_eff/N", f"{info.n_eff_over_n:.4f}"),
        ("overweights", f"{info.totals.overweight_share:.2%} of the cross section"),
        ("time per point", ", ".join(times)),
    ]
    return rows
