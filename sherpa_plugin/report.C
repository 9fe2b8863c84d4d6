// The summary at the end of a run: printed for people, written as YAML for programs.
#include <cmath>
#include <cstdio>
#include <fstream>
#include <sstream>

#include "ATOOLS/Org/Message.H"
#include "ATOOLS/Org/Run_Parameter.H"
#include "report.H"
#include "run.H"
#include "second_stage_report.H"
#include "text.H"

namespace PyAmp {
namespace {

/// Trials and events as Sherpa counts them.
struct Sherpa_Counts {
    long trials, events;
};

/// The first stage's acceptances: with the second stage running, every event that it has seen.
long Accepted(const Run& run, const Sherpa_Counts& sherpa) {
    const Unweighting* second = run.SecondStage();
    return second ? second->WarmUp().seen + second->Counts().seen : sherpa.events;
}

Gain GainOf(const Run& run, const Sherpa_Counts& sherpa) {
    const PhaseStatistics& events = run.Counts().events;
    const Unweighting* second = run.SecondStage();
    Gain gain;
    if (!events.points) return gain;
    double surrogates = events.screen.seconds + events.surrogate.seconds;
    double efficiency = static_cast<double>(Accepted(run, sherpa)) / events.points;
    if (const Unweighting* screen = run.BehindScreen()) {
        surrogates += screen->WarmUp().truth.seconds + screen->Counts().truth.seconds;
        // its warm-up accepts everything
        efficiency = screen->Counts().Epsilon() * (screen->WarmUp().seen + screen->Counts().seen) / events.points;
    }
    double evaluating = surrogates + events.truth.seconds;
    if (second) evaluating += second->WarmUp().truth.seconds + second->Counts().truth.seconds;
    gain.t_ps = (events.WallSeconds() - evaluating) / events.points;
    if (run.Surrogate()) gain.t_surrogate = surrogates / events.points;
    if (run.Card().mode == Mode::truth) {
        gain.t_me = events.truth.Mean();
        gain.epsilon_full = efficiency;
        return gain;
    }
    gain.epsilon_1st = efficiency;
    if (!second) return gain;
    // What goes on after the warm-up, which is not what a long run costs.
    const SecondStageStatistics& counts = second->Counts();
    gain.t_me = second->TruthMean();
    gain.epsilon_2nd = counts.Epsilon();
    if (run.Card().mode == Mode::two_stage)
        gain.x_max = second->InWarmUp() ? NAN : second->Settings().x_max;
    else
        gain.mean_p = counts.MeanProbability();
    gain.n_eff_over_n = counts.accepted.NEffOverN();
    // <w>/w_max of the truth, were its maximum that of the surrogate: <w>/s_max = <s>/s_max * <w>/<s>
    gain.epsilon_full = run.Card().epsilon_full > 0.0 ? run.Card().epsilon_full : gain.epsilon_1st * counts.XMean();
    return gain;
}

Json PhaseTree(const PhaseStatistics& phase) {
    return {{"points", phase.points},
            {"repeated", phase.repeated},
            {"wall_s", Number(phase.WallSeconds())},
            {"screen_calls", phase.screen.calls},
            {"screen_s", Number(phase.screen.seconds)},
            {"surrogate_calls", phase.surrogate.calls},
            {"surrogate_s", Number(phase.surrogate.seconds)},
            {"truth_calls", phase.truth.calls},
            {"truth_s", Number(phase.truth.seconds)},
            {"outside_domain", phase.outside_domain},
            {"failed", phase.failed},
            {"lost", phase.lost}};
}

Json GainTree(const Run& run, const Gain& gain) {
    Json tree = {{"t_me_ms", Number(1e3 * gain.t_me)},
                 {"t_ps_ms", Number(1e3 * gain.t_ps)},
                 {"t_surr_ms", Number(1e3 * gain.t_surrogate)},
                 {"epsilon_full", Number(gain.epsilon_full)},
                 {"epsilon_full_from", run.Card().mode == Mode::truth  ? "this run"
                                       : run.Card().epsilon_full > 0.0 ? "run card"
                                       : run.SecondStage()             ? "epsilon_1st * mean_x"
                                                                       : "unknown"},
                 {"epsilon_1st", Number(gain.epsilon_1st)},
                 {"epsilon_2nd", Number(gain.epsilon_2nd)},
                 {"x_max", Number(gain.x_max)},
                 {"mean_p", Number(gain.mean_p)},
                 {"n_eff_over_n", Number(gain.n_eff_over_n)},
                 {"T_standard_ms", Number(1e3 * gain.TStandard())},
                 {"T_surrogate_ms", Number(1e3 * gain.TSurrogate())},
                 {"f_eff", Number(gain.FEff())}};
    return tree;
}

std::string Scalar(const Json& value) {
    if (!value.is_number_float()) return value.dump();
    // YAML 1.1 reads 1e-05 as text: a float needs its point
    char text[32];
    std::snprintf(text, sizeof text, "%.9e", value.get<double>());
    return text;
}

void WriteYaml(std::ostream& out, const Json& tree, const std::string& indent = "") {
    for (const auto& [key, value] : tree.items()) {
        out << indent << key << ':';
        if (value.is_object()) {
            out << '\n';
            WriteYaml(out, value, indent + "  ");
        } else if (value.is_array()) {
            out << " [";
            for (std::size_t i = 0; i < value.size(); ++i) out << (i ? ", " : "") << Scalar(value[i]);
            out << "]\n";
        } else {
            out << ' ' << Scalar(value) << '\n';
        }
    }
}

void PrintPhase(std::ostream& out, const std::string& name, const PhaseStatistics& phase) {
    out << "  " << name << ": " << phase.points << " points inside the cuts in " << Time(phase.WallSeconds());
    if (phase.screen.calls) out << "; screen " << phase.screen.calls << " x " << Time(phase.screen.Mean());
    if (phase.surrogate.calls)
        out << "; surrogate " << phase.surrogate.calls << " x " << Time(phase.surrogate.Mean());
    if (phase.truth.calls) out << "; truth " << phase.truth.calls << " x " << Time(phase.truth.Mean());
    out << '\n';
    if (phase.outside_domain || phase.failed || phase.lost)
        out << "    sent to the truth: " << phase.outside_domain << " outside the domain, " << phase.failed
            << " failed; without a number from the truth too, counted as zero: " << phase.lost << '\n';
}

void PrintGain(std::ostream& out, const Run& run, const Gain& gain) {
    out << "  time per trial: everything else (t_PS) " << Time(gain.t_ps) << "; epsilon_full "
        << Percent(gain.epsilon_full) << ", epsilon_1st " << Percent(gain.epsilon_1st) << ", epsilon_2nd "
        << Percent(gain.epsilon_2nd) << '\n';
    if (run.Card().mode == Mode::truth) {
        out << "  T_standard = (t_ME + t_PS)/epsilon_full = " << Time(gain.TStandard()) << " per event\n";
    } else if (run.SecondStage()) {
        out << "  T_standard = " << Time(gain.TStandard()) << ", T_surrogate = " << Time(gain.TSurrogate())
            << " per event, f_eff = " << gain.FEff() << " (corrected for N_eff/N)\n";
        if (run.Card().epsilon_full <= 0.0)
            out << "    epsilon_full is estimated as epsilon_1st * <x>, as if truth and surrogate had one maximum;"
                << " give EPSILON_FULL of a truth run\n";
    }
}

}  // namespace

void Report(const Run& run) {
    const Sherpa_Counts sherpa{ATOOLS::rpa->gen.NumberOfTrials(), ATOOLS::rpa->gen.NumberOfGeneratedEvents()};
    const Gain gain = GainOf(run, sherpa);
    std::ostringstream text;
    text << "pyamp: summary, MODE " << NameOf(run.Card().mode) << ", " << run.Truth().ProcessName() << '\n';
    PrintPhase(text, "integration", run.Counts().integration);
    PrintPhase(text, "events", run.Counts().events);
    if (run.BehindScreen()) PrintScreen(text, *run.BehindScreen(), run.Counts().events.screen);
    if (run.SecondStage()) PrintSecondStage(text, *run.SecondStage(), run.Card().mode);
    if (run.Counts().events.points) PrintGain(text, run, gain);
    msg_Out() << text.str() << std::flush;

    if (run.Card().summary.empty()) return;
    Json tree = {{"mode", NameOf(run.Card().mode)},
                 {"process", run.Truth().ProcessName()},
                 {"truth", run.Truth().Source()},
                 {"surrogate", run.Surrogate() ? Json(run.Surrogate()->Source()) : Json(nullptr)},
                 {"sherpa", {{"events", sherpa.events}, {"trials", sherpa.trials}}},
                 {"integration", PhaseTree(run.Counts().integration)},
                 {"events", PhaseTree(run.Counts().events)}};
    if (run.Screen()) {
        Json screen = {{"model", run.Screen()->Source()}};
        screen.update(ScreenTree(*run.BehindScreen(), run.Counts().events.screen));
        tree["screen"] = screen;
    }
    if (run.SecondStage()) tree["second_stage"] = SecondStageTree(*run.SecondStage(), run.Card().mode);
    tree["gain"] = GainTree(run, gain);
    std::ofstream file(run.Card().summary);
    WriteYaml(file, tree);
    // At the very end of a good run: too late to stop for it.
    if (!file) msg_Error() << "pyamp: " << run.Card().summary << ": the summary could not be written" << std::endl;
}

}  // namespace PyAmp
