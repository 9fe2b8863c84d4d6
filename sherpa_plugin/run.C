// Which amplitude answers for which point.
#include <cmath>
#include <fstream>

#include "ATOOLS/Org/Message.H"
#include "ATOOLS/Org/Run_Parameter.H"
#include "checks.H"
#include "report.H"
#include "run.H"
#include "stop.H"

namespace PyAmp {
namespace {

std::unique_ptr<Run>& Slot() {
    static std::unique_ptr<Run> run;
    return run;
}

/// Of the process of the truth, and checked for the domain of the run.
std::unique_ptr<Amplitude> OpenSurrogate(const Library& library, const Settings& settings, const Amplitude& truth,
                                         const std::string& model, bool uncertainty) {
    // policy "nan": the plugin itself sends points to the truth, since it times and counts them
    nlohmann::json options = {{"policy", "nan"}};
    if (!settings.dtype.empty()) options["dtype"] = settings.dtype;
    auto surrogate = std::make_unique<Amplitude>(library, model, "surrogate", options, uncertainty);
    CheckSameProcess(*surrogate, truth);
    CheckDomain(*surrogate, settings.outside_domain);
    return surrogate;
}

}  // namespace

Run& Run::Instance() {
    if (!Slot()) Slot().reset(new Run);
    return *Slot();
}

bool Run::Exists() { return static_cast<bool>(Slot()); }

void Run::Finish() {
    if (!Slot()) return;
    const std::unique_ptr<Run> run = std::move(Slot());
    Report(*run);
}

Run::Run()
    : m_settings(Settings::FromCard()),
      m_library(m_settings.library),
      m_recorder(m_settings.record_file, m_settings.record_points) {
    CheckHook(m_settings.mode);
    if (!m_settings.summary.empty() && !std::ofstream(m_settings.summary, std::ios::app))
        Stop(m_settings.summary + ": the summary cannot be written there; change PYAMP: {SUMMARY: path}");
    p_truth = std::make_unique<Amplitude>(m_library, m_settings.truth.source, "truth", m_settings.truth.options);
    if (m_settings.mode != Mode::truth)
        p_surrogate =
            OpenSurrogate(m_library, m_settings, *p_truth, m_settings.model, m_settings.mode == Mode::roulette);
    if (!m_settings.screen.empty()) {
        p_screen = OpenSurrogate(m_library, m_settings, *p_truth, m_settings.screen, false);
        p_behind_screen =
            std::make_unique<Unweighting>(m_library, Stage::screen, Mode::two_stage, m_settings.behind_screen);
    }
    if (HasSecondStage(m_settings.mode)) {
        SecondStageSettings& second = m_settings.second_stage;
        if (m_settings.mode == Mode::two_stage && second.warm_up == 0)
            second.x_max = ChooseXMax(second.x_max, *p_surrogate);
        p_unweighting = std::make_unique<Unweighting>(m_library, Stage::second, m_settings.mode, second);
    }
    msg_Info() << "pyamp: MODE " << NameOf(m_settings.mode) << ", truth " << p_truth->Source();
    if (p_surrogate)
        msg_Info() << ", surrogate " << p_surrogate->Source() << " ("
                   << p_surrogate->Description().value("backend", "") << ", "
                   << p_surrogate->Description().value("dtype", "") << ")";
    if (p_screen)
        msg_Info() << ", screen " << p_screen->Source() << " (" << p_screen->Description().value("backend", "")
                   << "), " << p_behind_screen->InWords();
    if (p_unweighting) msg_Info() << ", " << p_unweighting->InWords();
    msg_Info() << std::endl;
}

void Run::BindProcess(const std::vector<int>& sherpa_pdg_ids, int n_in, const std::vector<double>& orders) {
    for (Amplitude* amplitude : {p_truth.get(), p_surrogate.get(), p_screen.get()}) {
        if (!amplitude) continue;
        CheckProcess(*amplitude, sherpa_pdg_ids, n_in, orders);
        if (!amplitude->MapLegs(sherpa_pdg_ids))
            Stop("internal error: the legs could not be mapped after the process was checked");
    }
}

bool Run::Point::SameAs(const ATOOLS::Vec4D_Vector& other) const {
    if (momenta.size() != other.size()) return false;
    for (std::size_t leg = 0; leg < other.size(); ++leg)
        for (int mu = 0; mu < 4; ++mu)
            if (momenta[leg][mu] != other[leg][mu]) return false;
    return true;
}

PhaseStatistics& Run::CurrentPhase() {
    // Sherpa counts trials only while it generates events.
    return ATOOLS::rpa->gen.NumberOfTrials() > 0 ? m_statistics.events : m_statistics.integration;
}

double Run::Probe(const ATOOLS::Vec4D_Vector& momenta, const Couplings& couplings) {
    const double me2 = (*p_truth)(momenta, couplings).me2;
    return me2 > 0.0 ? me2 : 1.0;
}

double Run::FirstStage(const ATOOLS::Vec4D_Vector& momenta, const Couplings& couplings) {
    PhaseStatistics& statistics = CurrentPhase();
    // Sherpa asks for every accepted point a second time (with scale variations); the answer is still known.
    if (m_last.couplings == couplings && m_last.SameAs(momenta)) {
        ++statistics.repeated;
        return m_last.me2;
    }
    if (statistics.points++ == 0) statistics.first = Clock::now();
    m_last.momenta = momenta;
    m_last.couplings = couplings;
    Evaluate(m_last, statistics);
    m_recorder.Record(m_last.momenta, (p_surrogate ? *p_surrogate : *p_truth).LegMap(), couplings,
                      m_last.origin == Origin::truth, m_last.me2);
    statistics.last = Clock::now();
    return m_last.me2;
}

void Run::Evaluate(Point& point, PhaseStatistics& statistics) {
    point.origin = Origin::screen;
    if (!p_screen || !Predict(*p_screen, point, statistics, statistics.screen))
        EvaluateBetter(point, statistics, statistics.surrogate);
}

bool Run::Predict(Amplitude& surrogate, Point& point, PhaseStatistics& statistics, Cost& cost) {
    Amplitude::Value value;
    {
        const Stopwatch stopwatch(cost);
        value = surrogate(point.momenta, point.couplings);
    }
    if (value.flags == 0) {
        point.me2 = value.me2;
        point.relative_sigma = value.relative_sigma;
        return true;
    }
    if (value.flags & PYAMP_FLAG_OUTSIDE_DOMAIN) {
        ++statistics.outside_domain;
        if (m_settings.outside_domain == OutsideDomain::error)
            Stop(surrogate.Source() + ": a phase-space point lies outside the domain on which it was trained (" +
                 Domain(surrogate) + "); tighten SELECTORS, or give PYAMP: {OUTSIDE_DOMAIN: truth}");
    } else {
        ++statistics.failed;
    }
    return false;
}

void Run::EvaluateBetter(Point& point, PhaseStatistics& statistics, Cost& surrogate_cost) {
    point.origin = Origin::surrogate;
    if (p_surrogate && Predict(*p_surrogate, point, statistics, surrogate_cost)) return;
    point.origin = Origin::truth;
    point.me2 = TruthValue(point, statistics.truth);
    if (std::isnan(point.me2)) {
        ++statistics.lost;
        point.me2 = 0.0;
    }
}

double Run::TruthValue(const Point& point, Cost& cost) {
    const Stopwatch stopwatch(cost);
    return (*p_truth)(point.momenta, point.couplings).me2;
}

Unweighting::Decision Run::SecondStage(const ATOOLS::Vec4D_Vector& momenta, double before) {
    // The event is the point evaluated last: it brings its couplings, the momenta as the first stage saw them, and
    // the value. Only if something in between evaluated another point is the surrogate asked once more.
    Point point = m_last;
    if (!SameInvariants(point.momenta, momenta)) {
        point.momenta = momenta;
        Evaluate(point, m_statistics.events);
    }
    // Sherpa makes several events of one point that exceeds its maximum, one after the other.
    const long number = m_statistics.events.points;
    Unweighting::Decision decision{true, 1.0};
    if (p_behind_screen)
        decision = p_behind_screen->Decide({before, number}, point.origin != Origin::screen, NAN, [&](Cost& cost) {
            const double screened = point.me2;
            EvaluateBetter(point, m_statistics.events, cost);
            return point.me2 / screened;
        });
    if (decision.accepted) {
        const auto second = p_unweighting->Decide({before * decision.weight, number}, point.origin == Origin::truth,
                                                  point.relative_sigma,
                                                  [&](Cost& cost) { return TruthValue(point, cost) / point.me2; });
        decision = {second.accepted, decision.weight * second.weight};
    }
    m_rejected = !decision.accepted;
    m_statistics.events.last = Clock::now();
    return decision;
}

}  // namespace PyAmp
