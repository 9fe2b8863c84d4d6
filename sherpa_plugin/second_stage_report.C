#include "second_stage_report.H"

namespace PyAmp {
namespace {

Json HistogramTree(const XHistogram& histogram) {
    const auto inner = [](const std::vector<double>& all) {
        return Json(std::vector<double>(all.begin() + 1, all.end() - 1));
    };
    const auto& content = histogram.Content();
    const auto& variance = histogram.Variance();
    return {{"edges", histogram.Edges()},
            {"content", inner(content)},
            {"variance", inner(variance)},
            {"underflow", content.front()},
            {"underflow_variance", variance.front()},
            {"overflow", content.back()},
            {"overflow_variance", variance.back()}};
}

/// What warm-up and the time after it have in common.
Json CountsTree(const SecondStageStatistics& counts) {
    return {{"seen", counts.seen},
            {"accepted", counts.accepted.events},
            {"from_truth", counts.from_truth},
            {"lost", counts.lost},
            {"truth_calls", counts.truth.calls},
            {"truth_s", Number(counts.truth.seconds)},
            {"mean_x", Number(counts.XMean())},
            {"largest_x", Number(counts.x_largest)},
            {"n_eff_over_n", Number(counts.accepted.NEffOverN())},
            {"n_eff_over_n_with_copies", Number(counts.accepted.NEffOverNWithCopies())}};
}

Json WarmUpTree(const Unweighting& second) {
    Json tree = {{"events_asked_for", second.Settings().warm_up}, {"complete", !second.InWarmUp()}};
    tree.update(CountsTree(second.WarmUp()));
    tree["n_eff_over_n_of_all"] = Number(second.NEffOverNOfAll());
    return tree;
}

}  // namespace

Json SecondStageTree(const Unweighting& second, Mode mode) {
    const SecondStageStatistics& counts = second.Counts();
    const SecondStageSettings& settings = second.Settings();
    Json tree = {{"seed", settings.seed}};
    tree.update(CountsTree(counts));
    tree["mean_x_square"] = Number(counts.seen ? counts.x_square_sum / counts.seen : NAN);
    if (mode == Mode::two_stage) {
        tree["x_max"] = Number(second.InWarmUp() ? NAN : settings.x_max);
        if (settings.warm_up) tree["x_max_error"] = Number(second.InWarmUp() ? NAN : second.XMaxError());
        tree["budget"] = settings.budget;
        tree["excess_share"] = Number(counts.ExcessShare());
        tree["excess_share_error"] = Number(counts.ExcessError());
        tree["mean_acceptance"] = Number(counts.MeanProbability());
        tree["overweights"] = counts.overweights;
        tree["overweight_share"] = Number(counts.OverweightShare());
    } else {
        tree["kappa"] = Number(second.InWarmUp() ? NAN : settings.kappa);
        tree["p_min"] = Number(second.InWarmUp() ? NAN : settings.p_min);
        tree["n_eff_over_n_aim"] = settings.n_eff_over_n;
        tree["mean_p"] = Number(counts.MeanProbability());
        tree["evaluated"] = counts.truth.calls;
        tree["negative"] = counts.negative;
    }
    if (settings.warm_up) tree["warm_up"] = WarmUpTree(second);
    tree["x_histogram"] = HistogramTree(second.Histogram());
    return tree;
}

Json ScreenTree(const Unweighting& screen, const Cost& calls) {
    const SecondStageStatistics& counts = screen.Counts();
    const SecondStageStatistics& warm_up = screen.WarmUp();
    Json tree = {{"calls", calls.calls},
                 {"s", Number(calls.seconds)},
                 {"seen", counts.seen},
                 {"accepted", counts.accepted.events},
                 {"surrogate_calls", warm_up.truth.calls + counts.truth.calls},
                 {"surrogate_s", Number(warm_up.truth.seconds + counts.truth.seconds)},
                 {"mean_y", Number(counts.XMean())},
                 {"largest_y", Number(counts.x_largest)},
                 {"y_max", Number(screen.InWarmUp() ? NAN : screen.Settings().x_max)},
                 {"excess_share", Number(counts.ExcessShare())},
                 {"excess_share_error", Number(counts.ExcessError())},
                 {"overweights", counts.overweights},
                 {"overweight_share", Number(counts.OverweightShare())}};
    if (screen.Settings().warm_up) {
        tree["y_max_error"] = Number(screen.InWarmUp() ? NAN : screen.XMaxError());
        tree["warm_up"] = {{"events_asked_for", screen.Settings().warm_up},
                           {"complete", !screen.InWarmUp()},
                           {"seen", warm_up.seen},
                           {"mean_y", Number(warm_up.XMean())}};
    }
    tree["y_histogram"] = HistogramTree(screen.Histogram());
    return tree;
}

void PrintScreen(std::ostream& out, const Unweighting& screen, const Cost& calls) {
    const SecondStageStatistics& counts = screen.Counts();
    out << "  screen: " << calls.calls << " x " << Time(calls.Mean()) << "; accepted " << counts.accepted.events
        << " of " << counts.seen << " after a warm-up of " << screen.WarmUp().seen
        << "\n    y = surrogate/screen: mean " << counts.XMean() << ", largest " << counts.x_largest << "; "
        << screen.InWords() << "; overweights " << counts.overweights << " with " << Percent(counts.OverweightShare())
        << " of the cross section\n";
}

void PrintSecondStage(std::ostream& out, const Unweighting& second, Mode mode) {
    const SecondStageStatistics& counts = second.Counts();
    if (const long asked = second.Settings().warm_up) {
        out << "  warm-up: " << second.WarmUp().seen << " events with weight x";
        if (second.InWarmUp()) out << ", of " << asked << ": the run ended before anything was chosen";
        out << '\n';
    }
    out << "  second stage: " << counts.seen << " seen, " << counts.accepted.events << " accepted; truth "
        << counts.truth.calls << " x " << Time(counts.truth.Mean()) << "; already the truth: " << counts.from_truth;
    if (counts.lost) out << "; counted as zero without a number from the truth: " << counts.lost;
    out << "\n    x = truth/surrogate: mean " << counts.XMean() << ", largest " << counts.x_largest << "; ";
    if (mode == Mode::two_stage)
        out << "x_max " << second.Settings().x_max << "; overweights " << counts.overweights << " with "
            << Percent(counts.OverweightShare()) << " of the cross section";
    else
        out << "KAPPA " << second.Settings().kappa << ", P_MIN " << second.Settings().p_min << ", mean p "
            << counts.MeanProbability() << "; negative weights " << counts.negative;
    out << "; N_eff/N " << counts.accepted.NEffOverN() << ", with Sherpa's copies of points above its maximum "
        << counts.accepted.NEffOverNWithCopies() << '\n';
}

}  // namespace PyAmp
