// Decisions of a stage, its warm-up, and its warnings.
#include <algorithm>
#include <cmath>
#include <sstream>

#include "ATOOLS/Org/Message.H"
#include "stop.H"
#include "unweighting.H"

namespace PyAmp {
namespace {

// Before so many events no share is worth a warning.
constexpr long least_to_warn = 100;

void Say(const std::string& kind, const std::string& line) {
    // Sherpa may be in the middle of a line of its own.
    msg_Out() << "\npyamp: " << kind << ": " << line << std::endl;
}

}  // namespace

Unweighting::Unweighting(const Library& library, Stage stage, Mode mode, const SecondStageSettings& settings)
    : m_library(library),
      m_stage(stage),
      m_mode(mode),
      m_settings(settings),
      m_warming(settings.warm_up > 0),
      m_aim(settings.n_eff_over_n) {}

Unweighting::Decision Unweighting::Decide(const Incoming& before, bool from_truth, double relative_sigma,
                                          const std::function<double(Cost&)>& ask) {
    const Decision decision = m_warming                   ? WarmingUp(before, from_truth, relative_sigma, ask)
                              : m_mode == Mode::two_stage ? TwoStage(before, from_truth, ask)
                                                          : Roulette(before, from_truth, relative_sigma, ask);
    ++m_index;
    return decision;
}

double Unweighting::Ask(SecondStageStatistics& statistics, const std::function<double(Cost&)>& ask) {
    const double x = ask(statistics.truth);
    if (std::isfinite(x)) return x;
    ++statistics.lost;
    return 0.0;
}

void Unweighting::Note(SecondStageStatistics& statistics, double x, double count) {
    statistics.x_square_sum += count * x * x;
    statistics.x_largest = std::max(statistics.x_largest, x);
    m_histogram.Fill(x, count);
}

Unweighting::Decision Unweighting::WarmingUp(const Incoming& before, bool from_truth, double relative_sigma,
                                             const std::function<double(Cost&)>& ask) {
    ++m_warm_up.seen;
    m_warm_up.from_truth += from_truth;
    const double x = from_truth ? 1.0 : Ask(m_warm_up, ask);
    m_warm_up.x_sum += x;
    Note(m_warm_up, x, 1.0);
    // Roulette is for those that can ask; x_max must suit all.
    if (!from_truth || m_mode == Mode::two_stage) {
        m_pilot_x.push_back(x);
        m_pilot_sigma.push_back(relative_sigma);
    }
    if (static_cast<long>(m_pilot_x.size()) == m_settings.warm_up) ChooseFromPilot();
    if (x == 0.0) return {false, 0.0};
    m_warm_up.accepted.Add(before.weight * x, before.point);
    return {true, x};
}

Unweighting::Decision Unweighting::TwoStage(const Incoming& before, bool from_truth,
                                            const std::function<double(Cost&)>& ask) {
    ++m_counts.seen;
    m_counts.from_truth += from_truth;
    const double x = from_truth ? 1.0 : Ask(m_counts, ask);
    m_counts.x_sum += x;
    Note(m_counts, x, 1.0);
    int accepted;
    double weight;
    const auto decide = m_stage == Stage::second ? m_library.two_stage : m_library.screen;
    if (decide(m_settings.seed, m_index, x, m_settings.x_max, &accepted, &weight) != PYAMP_SUCCESS)
        Stop(m_library.last_error());
    m_counts.probability_sum += std::min(1.0, x / m_settings.x_max);
    if (accepted) {
        m_counts.accepted.Add(before.weight * weight, before.point);
        if (weight > 1.0) {
            ++m_counts.overweights;
            m_counts.overweight_sum += before.weight * weight;
        }
    }
    if (const double excess = x - m_settings.x_max; excess > 0.0) {
        m_counts.excess_sum += excess;
        m_counts.excess_square_sum += excess * excess;
        WatchBudget();
    }
    return {accepted != 0, weight * m_settings.x_max};
}

Unweighting::Decision Unweighting::Roulette(const Incoming& before, bool from_truth, double relative_sigma,
                                            const std::function<double(Cost&)>& ask) {
    ++m_counts.seen;
    double weight = 1.0;
    if (from_truth) {
        ++m_counts.from_truth;
        Note(m_counts, 1.0, 1.0);
    } else {
        int evaluate;
        double probability;
        if (m_library.roulette(m_settings.seed, m_index, relative_sigma, m_settings.kappa, m_settings.p_min,
                               &evaluate, &probability) != PYAMP_SUCCESS)
            Stop(m_library.last_error());
        m_counts.probability_sum += probability;
        if (evaluate) {
            const double x = Ask(m_counts, ask);
            Note(m_counts, x, 1.0 / probability);
            if (m_library.roulette_weight(x, probability, &weight) != PYAMP_SUCCESS) Stop(m_library.last_error());
        }
    }
    m_counts.x_sum += weight;
    m_counts.accepted.Add(before.weight * weight, before.point);
    m_counts.negative += weight < 0.0;
    if (weight != 1.0) WatchSampleSize();
    return {true, weight};
}

void Unweighting::ChooseFromPilot() {
    m_warming = false;
    const std::size_t n = m_pilot_x.size();
    std::ostringstream line;
    line << (m_stage == Stage::screen ? "screen: " : "") << "warm-up of " << n << " events: ";
    if (m_mode == Mode::two_stage) {
        if (m_library.budget_maximum(n, m_pilot_x.data(), m_settings.budget, m_settings.seed, &m_settings.x_max,
                                     &m_x_max_error) != PYAMP_SUCCESS)
            Stop(m_library.last_error());
        line << MaximumName() << ' ' << m_settings.x_max << " +- " << m_x_max_error << " for BUDGET "
             << m_settings.budget;
    } else {
        double mean_p, n_eff_over_n;
        int reached;
        if (m_library.choose_roulette(n, m_pilot_x.data(), m_pilot_sigma.data(), m_settings.n_eff_over_n,
                                      &m_settings.kappa, &m_settings.p_min, &mean_p, &n_eff_over_n,
                                      &reached) != PYAMP_SUCCESS)
            Stop(m_library.last_error());
        if (!reached) m_aim = n_eff_over_n;
        if (reached)
            line << "KAPPA " << m_settings.kappa << ", P_MIN " << m_settings.p_min << "; mean p " << mean_p
                 << " and N_eff/N " << n_eff_over_n << " expected";
        else
            line << "N_eff/N " << m_settings.n_eff_over_n
                 << " cannot be reached, with the truth for every event it is " << n_eff_over_n
                 << " and that is taken (p = 1); MODE two_stage gives unit weights";
    }
    Say("note", line.str());
    m_pilot_x = {};
    m_pilot_sigma = {};
}

// That the true share were within the budget and the observed one ten times as large has a probability below 1/10
// whatever the distribution of x, at any time of the run (the mean of n is a reversed martingale); many small
// excesses are told from the budget by their standard error.
void Unweighting::WatchBudget() {
    const double share = m_counts.ExcessShare();
    if (m_counts.seen < least_to_warn || share < 2.0 * m_warned) return;
    if (share - 4.0 * m_counts.ExcessError() <= m_settings.budget && share <= 10.0 * m_settings.budget) return;
    m_warned = share;
    std::ostringstream line;
    const std::string key = m_stage == Stage::screen ? "Y_MAX" : "X_MAX";
    line << "after " << m_counts.seen << " events " << 100.0 * share << " % of the cross section lie above "
         << MaximumName() << ' ' << m_settings.x_max << ", BUDGET is " << 100.0 * m_settings.budget
         << " %; the events are right, as weights above 1, but take a larger " << key << ", " << key
         << ": auto, or a better " << (m_stage == Stage::screen ? "screen" : "model");
    Say("warning", line.str());
}

void Unweighting::WatchSampleSize() {
    const double lost = 1.0 - m_counts.accepted.NEffOverN();
    if (m_counts.seen < 10 * least_to_warn || lost < 2.0 * m_warned) return;
    if (lost < 2.0 * std::max(1.0 - m_aim, 1e-3)) return;
    m_warned = lost;
    std::ostringstream line;
    line << "after " << m_counts.seen << " events N_eff/N is " << 1.0 - lost << ", " << m_aim
         << " was aimed at; the events are right, but take a larger P_MIN and KAPPA, a longer WARM_UP or a better "
            "model";
    Say("warning", line.str());
}

std::string Unweighting::InWords() const {
    std::ostringstream text;
    if (m_warming)
        text << "warm-up of " << m_settings.warm_up << " events";
    else if (m_mode == Mode::two_stage)
        text << MaximumName() << ' ' << m_settings.x_max;
    else
        text << "KAPPA " << m_settings.kappa << ", P_MIN " << m_settings.p_min;
    return text.str();
}

double Unweighting::TruthMean() const {
    return Cost{m_warm_up.truth.calls + m_counts.truth.calls, m_warm_up.truth.seconds + m_counts.truth.seconds}
        .Mean();
}

double Unweighting::NEffOverNOfAll() const {
    return m_warm_up.accepted.With(m_counts.accepted, m_mode == Mode::two_stage ? m_settings.x_max : 1.0).NEffOverN();
}

}  // namespace PyAmp
