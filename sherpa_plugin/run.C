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

std::unique_ptr<Amplitude> OpenSurrogate(const Library& library, const Settings& settings) {
    // policy "nan": the plugin itself sends points to the truth, since it times and counts them
    nlohmann::json options = {{"policy", "nan"}};
    if (!settings.dtype.empty()) options["dtype"] = settings.dtype;
    return std::make_unique<Amplitude>(library, settings.model, "surrogate", options,
                                       settings.mode == Mode::roulette);
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
    if (m_settings.mode != Mode::truth) {
        p_surrogate = OpenSurrogate(m_library, m_settings);
        CheckSameProcess(*p_surrogate, *p_truth);
        CheckDomain(*p_surrogate, m_settings.outside_domain);
    }
    if (HasSecondStage(m_settings.mode)) {
        SecondStageSettings& second = m_settings.second_stage;
        if (m_settings.mode == Mode::two_stage && second.warm_up == 0)
            second.x_max = ChooseXMax(second.x_max, *p_surrogate);
        p_unweighting = std::make_unique<Unweighting>(m_library, m_settings.mode, second);
    }
    msg_Info() << "pyamp: MODE " << NameOf(m_settings.mode) << ", truth " << p_truth->Source();
    if (p_surrogate)
        msg_Info() << ", surrogate " << p_surrogate->Source() << " ("
                   << p_surrogate->Description().value("backend", "") << ", "
                   << p_surrogate->Description().value("dtype", "") << ")";
    if (p_unweighting) msg_Info() << ", " << p_unweighting->InWords();
    msg_Info() << std::endl;
}

void Run::BindProcess(const std::vector<int>& sherpa_pdg_ids, int n_in, const std::vector<double>& orders) {
    CheckProcess(*p_truth, sherpa_pdg_ids, n_in, orders);
    if (p_surrogate) CheckProcess(*p_surrogate, sherpa_pdg_ids, n_in, orders);
    const bool bound = p_truth->MapLegs(sherpa_pdg_ids) && (!p_surrogate || p_surrogate->MapLegs(sherpa_pdg_ids));
    if (!bound) Stop("internal error: the legs could not be mapped after the process was checked");
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
    m_recorder.Record(m_last.momenta, (p_surrogate ? *p_surrogate : *p_truth).LegMap(), couplings, m_last.from_truth,
                      m_last.me2);
    statistics.last = Clock::now();
    return m_last.me2;
}

void Run::Evaluate(Point& point, PhaseStatistics& statistics) {
    point.from_truth = true;
    if (p_surrogate) {
        Amplitude::Value value;
        {
            const Stopwatch stopwatch(statistics.surrogate);
            value = (*p_surrogate)(point.momenta, point.couplings);
        }
        if (value.flags == 0) {
            point.from_truth = false;
            point.me2 = value.me2;
            point.relative_sigma = value.relative_sigma;
            return;
        }
        if (value.flags & PYAMP_FLAG_OUTSIDE_DOMAIN) {
            ++statistics.outside_domain;
            if (m_settings.outside_domain == OutsideDomain::error)
                Stop(p_surrogate->Source() + ": a phase-space point lies outside the domain on which it was " +
                     "trained (" + Domain(*p_surrogate) +
                     "); tighten SELECTORS, or give PYAMP: {OUTSIDE_DOMAIN: " + "truth}");
        } else {
            ++statistics.failed;
        }
    }
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

Unweighting::Decision Run::SecondStage(const ATOOLS::Vec4D_Vector& momenta) {
    // The event is the point evaluated last: it brings its couplings, the momenta as the first stage saw them, and
    // the value. Only if something in between evaluated another point is the surrogate asked once more.
    Point point = m_last;
    if (!SameInvariants(point.momenta, momenta)) {
        point.momenta = momenta;
        Evaluate(point, m_statistics.events);
    }
    const auto decision = p_unweighting->Decide(point.from_truth, point.relative_sigma,
                                                [&](Cost& cost) { return TruthValue(point, cost) / point.me2; });
    m_rejected = !decision.accepted;
    m_statistics.events.last = Clock::now();
    return decision;
}

}  // namespace PyAmp
