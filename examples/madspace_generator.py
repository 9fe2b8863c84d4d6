"""Unweighted events from a pyamp matrix element with madspace: random numbers → momenta → PDFs → |M|² → LHE.

madspace maps random numbers to momenta (VEGAS, RAMBO), folds in cuts, PDFs, α_s and flux, and calls libpyamp through
UMAMI for |M|²: a surrogate, a built-in amplitude or whatever else a provider card names.

    python examples/madspace_generator.py run/model.safetensors --events 10000 --output events.lhe
    python examples/madspace_generator.py gg_to_aag --process gg_to_aag_lhc13 --pdf /path/of/PDF4LHC21_40_pdfas

A surrogate's cross section is as wrong as the surrogate; events are unbiased only after the second stage against the
truth (pyamp.unweighting, or the Sherpa plugin).
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import madspace as ms
import numpy as np

import pyamp
from pyamp.processes import Process, load_process

N_BINS = 64  # of the VEGAS grid in each dimension


@dataclass(frozen=True)
class WeightedPoints:
    """Points inside the cuts: momenta (n, legs, 4) in GeV and weights (n,) in pb; n_trials were drawn for them."""

    momenta: np.ndarray
    weights: np.ndarray
    n_trials: int

    def cross_section(self) -> tuple[float, float]:
        """Mean weight of all trials and its standard error, pb."""
        mean = self.weights.sum() / self.n_trials
        variance = (self.weights**2).sum() / self.n_trials - mean**2
        return float(mean), float(np.sqrt(variance / self.n_trials))


def madspace_cuts(process: Process) -> ms.Cuts:
    """The cuts of a process card in the words of madspace."""
    observable, card = ms.Observable, process.cuts.as_dict()

    def cut(
        option: object, groups: list[list[int]], mode: object = ms.Cuts.all, **bound: float
    ) -> ms.CutItem:
        return ms.CutItem(observable(list(process.pdg_ids), option, groups), mode=mode, **bound)

    items = []
    for pdg, limits in card.get("pt_min", {}).items():
        thresholds = np.atleast_1d(limits).tolist()
        if len(thresholds) > 2:
            raise pyamp.PyampError(
                f"cuts: pt_min of {pdg} has {len(thresholds)} thresholds, at most 2 expected"
            )
        items.append(cut(observable.obs_pt, [[int(pdg)]], min=thresholds[-1]))
        if len(thresholds) == 2:
            items.append(cut(observable.obs_pt, [[int(pdg)]], ms.Cuts.any, min=thresholds[0]))
    for pdg, bound in card.get("abs_eta_max", {}).items():
        items.append(cut(observable.obs_eta_abs, [[int(pdg)]], max=bound))
    for pair, bound in card.get("delta_r_min", {}).items():
        items.append(cut(observable.obs_delta_r, [[int(pdg)] for pdg in pair.split(",")], min=bound))
    return ms.Cuts(items)


class Generator:
    """A matrix element under madspace's phase space.

    Parameters
    ----------
    matrix_element : str
        What ``umami_initialize`` gets: a model file or a provider card. It must include the factor for identical
        particles (``identical_particle_factor: true``), since madspace has none.
    process : Process
        Legs, energy and cuts.
    pdf : Path, optional
        Folder of an LHAPDF set, for hadron beams; its α_s is used for every event.
    scale : float
        Renormalisation and factorisation scale in GeV.
    """

    def __init__(
        self,
        matrix_element: str,
        process: Process,
        pdf: Path | None = None,
        scale: float = 91.1876,
        seed: int = 1,
    ) -> None:
        self.process, self.scale = process, scale
        self.context = ms.Context(1)
        self._random = np.random.default_rng(seed)
        kind = ms.MatrixElement
        api = self.context.load_matrix_element(pyamp.umami_library(), matrix_element)
        inputs = [kind.momenta_in, kind.alpha_s_in] if pdf else [kind.momenta_in]
        element = kind(api, inputs, [kind.matrix_element_out])
        mapping = ms.PhaseSpaceMapping(
            [0.0] * process.n_legs,
            process.sqrt_s,
            pdf is None,
            mode=ms.PhaseSpaceMapping.rambo,
            cuts=madspace_cuts(process),
        )
        beams = list(process.pdg_ids[:2])
        if pdf:
            density = ms.PdfGrid(str(pdf / f"{pdf.name}_0000.dat"))
            couplings = ms.AlphaSGrid(str(pdf / f"{pdf.name}.info"))
            for grid in (density, couplings):
                grid.initialize_globals(self.context)
            self._alpha_s = self._compile(ms.RunningCoupling(couplings).function())
            differential = ms.DifferentialCrossSection(
                element,
                process.sqrt_s,
                ms.RunningCoupling(couplings),
                ms.EnergyScale(process.n_legs, scale),
                [beams],
                density,
                density,
            )
        else:
            self._alpha_s = None
            differential = ms.DifferentialCrossSection(
                element, process.sqrt_s, None, None, [beams], input_momentum_fraction=False
            )
        self.hadronic = pdf is not None
        self._vegas = ms.VegasMapping(mapping.random_dim(), N_BINS, "vegas")
        self._vegas.initialize_globals(self.context)
        self._sample = self._compile(self._vegas.forward_function())
        self._momenta = self._compile(mapping.forward_function())
        self._differential = self._compile(differential.function())
        self._histogram = self._compile(ms.VegasHistogram(mapping.random_dim(), N_BINS).function())
        kept = ms.NamedTypes(["weight", "momenta"], [ms.batch_float, ms.batch_four_vec_array(process.n_legs)])
        self._unweighter = self._compile(ms.Unweighter(kept).function())

    def _compile(self, function: ms.Function) -> ms.FunctionRuntime:
        return ms.FunctionRuntime(function, self.context)

    def draw(self, n: int) -> WeightedPoints:
        """n trials; those outside the cuts are left out."""
        return self._draw(n)[0]

    def _draw(self, n: int) -> tuple[WeightedPoints, np.ndarray, np.ndarray]:
        """Also the random numbers and the weights of all trials, for the grid."""
        numbers = self._random.random((n, self._vegas.dimension()))
        sampled, jacobian = self._sample(numbers)
        momenta, x1, x2, weight = self._momenta(sampled)
        inside = np.flatnonzero(weight)
        momenta = np.ascontiguousarray(momenta[inside])
        beams = np.zeros(len(inside), dtype=np.int32)
        fractions = [np.ascontiguousarray(x[inside]) for x in (x1, x2)] if self.hadronic else []
        weights = np.zeros(n)
        weights[inside] = self._differential(momenta, *fractions, beams) * (weight * jacobian)[inside]
        return WeightedPoints(momenta, weights[inside], n), numbers, weights

    def adapt(self, n: int, iterations: int, damping: float = 0.7) -> None:
        """VEGAS: bins of every dimension shrink where the integrand is large (arXiv:2009.05112)."""
        # The optimiser of madspace 0.2.1 does not take the histograms of VegasHistogram from Python.
        grid = self.context.get_global(self._vegas.grid_name()).torch()
        for _ in range(iterations):
            _, numbers, weights = self._draw(n)
            sums, counts = (np.asarray(table)[0] for table in self._histogram(numbers, weights**2))
            for axis, (total, count) in enumerate(zip(sums, counts, strict=True)):
                mean = total / np.maximum(count, 1)
                smooth = np.convolve(np.pad(mean, 1, mode="edge"), [1 / 8, 6 / 8, 1 / 8], mode="valid")
                share = np.clip(smooth / smooth.sum(), 1e-30, 1 - 1e-12)
                importance = ((1 - share) / -np.log(share)) ** damping
                edges = np.concatenate([[0.0], np.cumsum(importance)])
                old = grid[0, axis].numpy().copy()
                new = np.interp(np.linspace(0, edges[-1], N_BINS + 1), edges, old)
                grid[0, axis, 1:-1] = grid.new_tensor(new[1:-1])

    def integrate(self, n: int, batch: int = 50_000) -> tuple[float, float]:
        """Cross section and its statistical error in pb, from n trials."""
        parts = [self.draw(min(batch, n - start)).weights for start in range(0, n, batch)]
        return WeightedPoints(np.empty(0), np.concatenate(parts), n).cross_section()

    def unweighted(self, n: int, batch: int = 20_000) -> tuple[WeightedPoints, float]:
        """At least n accepted events and the maximal weight; events above it keep their excess as a weight."""
        largest = self.draw(2 * batch).weights.max()
        momenta, weights, trials = [], [], 0
        while sum(map(len, weights)) < n:
            points = self.draw(batch)
            weight, accepted = self._unweighter(points.weights, points.momenta, np.array(largest))
            momenta.append(np.array(accepted))
            weights.append(np.maximum(np.asarray(weight) / largest, 1.0))
            trials += points.n_trials
        return WeightedPoints(np.concatenate(momenta), np.concatenate(weights), trials), float(largest)

    def write_lhe(self, path: Path, events: WeightedPoints, cross_section: tuple[float, float]) -> None:
        """Les Houches events; weights are normalised to the cross section (their mean, IDWTUP = -4)."""
        process = self.process
        beam = 2212 if self.hadronic else process.pdg_ids[0]
        unit = cross_section[0] / events.weights.mean()
        meta = ms.LHEMeta(
            beam,
            beam,
            process.sqrt_s / 2,
            process.sqrt_s / 2,
            weight_mode=-4,
            processes=[ms.LHEProcess(*cross_section, float(events.weights.max() * unit), 1)],
        )
        alpha_s = float(self._alpha_s(np.array([self.scale]))[0]) if self._alpha_s else 0.0
        writer = ms.LHEFileWriter(str(path), meta)
        for momenta, weight in zip(events.momenta, events.weights, strict=True):
            particles = []
            # g g -> photons + g: f^abc, so both orders of the three gluons are equally probable.
            if self._random.random() < 0.5:
                flow, outgoing = {0: (501, 502), 1: (502, 503)}, (501, 503)
            else:
                flow, outgoing = {0: (501, 502), 1: (503, 501)}, (503, 502)
            for leg, (pdg, (energy, px, py, pz)) in enumerate(zip(process.pdg_ids, momenta, strict=True)):
                incoming = leg < process.n_incoming
                colour, anticolour = flow.get(leg, outgoing if pdg == 21 else (0, 0))
                status = ms.LHEParticle.status_incoming if incoming else ms.LHEParticle.status_outgoing
                mothers = (0, 0) if incoming else (1, 2)
                particles.append(
                    ms.LHEParticle(
                        pdg, status, *mothers, colour, anticolour, px, py, pz, energy, 0.0, 0.0, 9.0
                    )
                )
            writer.write(
                ms.LHEEvent(1, float(weight * unit), self.scale, 1 / 137.035999084, alpha_s, particles)
            )


def parse_arguments(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("matrix_element", help="model file, name of a built-in amplitude, or provider card")
    parser.add_argument("--process", default="gg_to_aag_1tev", help="process card: energy and cuts")
    parser.add_argument("--pdf", type=Path, help="folder of an LHAPDF set, for a card with hadron beams")
    parser.add_argument("--scale", type=float, default=91.1876, help="of α_s and PDFs in GeV")
    parser.add_argument("--events", type=int, default=1000)
    parser.add_argument("--points", type=int, default=100_000, help="for the cross section")
    parser.add_argument("--output", type=Path, default=Path("events.lhe"))
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args(arguments)


def main(arguments: list[str]) -> None:
    options = parse_arguments(arguments)
    process = load_process(options.process)
    if (process.energy.sqrt_s is None) != (options.pdf is None):
        raise pyamp.PyampError(
            "--pdf goes with a process card that has hadron beams (energy: sqrt_s), and only there"
        )
    card = pyamp.provider_card(options.matrix_element, identical_particle_factor=True)
    generator = Generator(card, process, options.pdf, options.scale, options.seed)
    generator.adapt(20_000, 5)
    start = time.perf_counter()
    cross_section = generator.integrate(options.points)
    elapsed = time.perf_counter() - start
    print(f"cross section {cross_section[0]:.6g} +- {cross_section[1]:.2g} pb")
    print(f"weighted: {options.points / elapsed:,.0f} points/s")
    start = time.perf_counter()
    events, _ = generator.unweighted(options.events)
    elapsed = time.perf_counter() - start
    efficiency = events.weights.sum() / events.n_trials
    print(f"unweighted: {len(events.weights) / elapsed:,.0f} events/s, efficiency {efficiency:.3g}")
    generator.write_lhe(options.output, events, cross_section)
    print(f"{len(events.weights)} events in {options.output}")


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except pyamp.PyampError as error:
        sys.exit(f"madspace_generator: {error}")
