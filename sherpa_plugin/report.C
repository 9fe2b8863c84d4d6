// The summary at the end of a run: printed for people, written as YAML for programs.
#include <cmath>
#include <cstdio>
#include <fstream>
#include <iomanip>
#include <nlohmann/json.hpp>
#include <sstream>

#include "ATOOLS/Org/Message.H"
#include "ATOOLS/Org/Run_Parameter.H"
#include "report.H"
#include "run.H"

namespace PyAmp {
namespace {

using Json = nlohmann::ordered_json;

/// Trials and events as Sherpa counts them.
struct Sherpa_Counts {
    long trials, events;
};

/// The first stage's acceptances: with the second stage running, every event that it has seen.
long Accepted(const Run& run, const Sherpa_Counts& sherpa) {
    return run.Card().mode == Mode::two_stage ? run.Counts().second_stage.seen : sherpa.events;
}

Gain GainOf(const Run& run, const Sherpa_Counts& sherpa) {
    const PhaseStatistics& events = run.Counts().events;
    const SecondStageStatistics& second = run.Counts().second_stage;
    Gain gain;
    if (!events.points) return gain;
    const double evaluating = events.surrogate.seconds + events.truth.seconds + second.truth.seconds;
    gain.t_ps = (events.WallSeconds() - evaluating) / events.points;
    gain.t_surrogate = events.surrogate.Mean();
    const double efficiency = static_cast<double>(Accepted(run, sherpa)) / events.points;
    if (run.Card().mode == Mode::truth) {
        gain.t_me = events.truth.Mean();
        gain.epsilon_full = efficiency;
        return gain;
    }
    gain.epsilon_1st = efficiency;
    if (run.Card().mode == Mode::surrogate) return gain;
    gain.t_me = second.truth.Mean();
    gain.epsilon_2nd = second.Epsilon();
    gain.x_max = run.XMax();
    gain.n_eff_over_n = second.NEffOverN();
    // <w>/w_max of the truth, were its maximum that of the surrogate: <w>/s_max = <s>/s_max * <w>/<s>
    gain.epsilon_full = run.Card().epsilon_full > 0.0 ? run.Card().epsilon_full : gain.epsilon_1st * second.XMean();
    return gain;
}

Json Number(double value) { return std::isfinite(value) ? Json(value) : Json(nullptr); }

Json PhaseTree(const PhaseStatistics& phase) {
    return {{"points", phase.points},
            {"repeated", phase.repeated},
            {"wall_s", Number(phase.WallSeconds())},
            {"surrogate_calls", phase.surrogate.calls},
            {"surrogate_s", Number(phase.surrogate.seconds)},
            {"truth_calls", phase.truth.calls},
            {"truth_s", Number(phase.truth.seconds)},
            {"outside_domain", phase.outside_domain},
            {"failed", phase.failed},
            {"lost", phase.lost}};
}

Json SecondStageTree(const Run& run) {
    const SecondStageStatistics& second = run.Counts().second_stage;
    return {{"x_max", run.XMax()},
            {"seed", run.Card().seed},
            {"seen", second.seen},
            {"accepted", second.accepted},
            {"from_truth", second.from_truth},
            {"lost", second.lost},
            {"truth_calls", second.truth.calls},
            {"truth_s", Number(second.truth.seconds)},
            {"mean_x", Number(second.XMean())},
            {"mean_x_square", Number(second.seen ? second.x_square_sum / second.seen : NAN)},
            {"largest_x", Number(second.x_largest)},
            {"mean_p", Number(second.seen ? second.probability_sum / second.seen : NAN)},
            {"overweights", second.overweights},
            {"overweight_share", Number(second.OverweightShare())},
            {"n_eff_over_n", Number(second.NEffOverN())}};
}

Json GainTree(const Run& run, const Gain& gain) {
    Json tree = {{"t_me_ms", Number(1e3 * gain.t_me)},
                 {"t_ps_ms", Number(1e3 * gain.t_ps)},
                 {"t_surr_ms", Number(1e3 * gain.t_surrogate)},
                 {"epsilon_full", Number(gain.epsilon_full)},
                 {"epsilon_full_from", run.Card().mode == Mode::truth       ? "this run"
                                       : run.Card().epsilon_full > 0.0      ? "run card"
                                       : run.Card().mode == Mode::two_stage ? "epsilon_1st * mean_x"
                                                                            : "unknown"},
                 {"epsilon_1st", Number(gain.epsilon_1st)},
                 {"epsilon_2nd", Number(gain.epsilon_2nd)},
                 {"x_max", Number(gain.x_max)},
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
        } else {
            out << ' ' << Scalar(value) << '\n';
        }
    }
}

std::string Time(double seconds) {
    if (!std::isfinite(seconds)) return "-";
    std::ostringstream text;
    text << std::setprecision(3);
    if (seconds < 1e-3)
        text << 1e6 * seconds << " us";
    else if (seconds < 1.0)
        text << 1e3 * seconds << " ms";
    else
        text << seconds << " s";
    return text.str();
}

std::string Percent(double part) {
    if (!std::isfinite(part)) return "-";
    std::ostringstream text;
    text << std::setprecision(3) << 100.0 * part << " %";
    return text.str();
}

void PrintPhase(std::ostream& out, const std::string& name, const PhaseStatistics& phase) {
    out << "  " << name << ": " << phase.points << " points inside the cuts in " << Time(phase.WallSeconds());
    if (phase.surrogate.calls)
        out << "; surrogate " << phase.surrogate.calls << " x " << Time(phase.surrogate.Mean());
    if (phase.truth.calls) out << "; truth " << phase.truth.calls << " x " << Time(phase.truth.Mean());
    out << '\n';
    if (phase.outside_domain || phase.failed || phase.lost)
        out << "    sent to the truth: " << phase.outside_domain << " outside the domain, " << phase.failed
            << " failed; without a number from the truth too, counted as zero: " << phase.lost << '\n';
}

void PrintSecondStage(std::ostream& out, const Run& run) {
    const SecondStageStatistics& second = run.Counts().second_stage;
    out << "  second stage: " << second.seen << " seen, " << second.accepted << " accepted; truth "
        << second.truth.calls << " x " << Time(second.truth.Mean()) << "; already the truth: " << second.from_truth;
    if (second.lost) out << "; rejected without a number from the truth: " << second.lost;
    out << "\n    x = truth/surrogate: mean " << second.XMean() << ", largest " << second.x_largest << ", x_max "
        << run.XMax() << "; overweights " << second.overweights << " with " << Percent(second.OverweightShare())
        << " of the cross section; N_eff/N " << second.NEffOverN() << '\n';
}

void PrintGain(std::ostream& out, const Run& run, const Gain& gain) {
    out << "  time per trial: everything else (t_PS) " << Time(gain.t_ps) << "; epsilon_full "
        << Percent(gain.epsilon_full) << ", epsilon_1st " << Percent(gain.epsilon_1st) << ", epsilon_2nd "
        << Percent(gain.epsilon_2nd) << '\n';
    if (run.Card().mode == Mode::truth) {
        out << "  T_standard = (t_ME + t_PS)/epsilon_full = " << Time(gain.TStandard()) << " per event\n";
    } else if (run.Card().mode == Mode::two_stage) {
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
    if (run.Card().mode == Mode::two_stage) PrintSecondStage(text, run);
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
    if (run.Card().mode == Mode::two_stage) tree["second_stage"] = SecondStageTree(run);
    tree["gain"] = GainTree(run, gain);
    std::ofstream file(run.Card().summary);
    WriteYaml(file, tree);
    // At the very end of a good run: too late to stop for it.
    if (!file) msg_Error() << "pyamp: " << run.Card().summary << ": the summary could not be written" << std::endl;
}

}  // namespace PyAmp
