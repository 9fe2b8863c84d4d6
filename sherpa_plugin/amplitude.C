// Calls of libpyamp for one phase-space point.
#include <cmath>
#include <limits>

#include "amplitude.H"
#include "stop.H"

namespace PyAmp {

std::string ProcessName(const std::vector<int>& pdg_ids, int n_in) {
    std::string name;
    for (std::size_t i = 0; i < pdg_ids.size(); ++i)
        name += (static_cast<int>(i) == n_in ? " -> " : i ? " " : "") + std::to_string(pdg_ids[i]);
    return name;
}

Amplitude::Amplitude(const Library& library, const std::string& source, const std::string& kind,
                     const nlohmann::json& options, bool uncertainty)
    : m_library(library), m_source(source), m_uncertainty(uncertainty) {
    if (m_library.open(&p_handle, source.c_str(), options.dump().c_str()) != PYAMP_SUCCESS)
        Stop(m_library.last_error());
    std::size_t size = 0;
    m_library.describe(p_handle, nullptr, 0, &size);
    std::string text(size, '\0');
    if (m_library.describe(p_handle, &text[0], size, nullptr) != PYAMP_SUCCESS) Stop(m_library.last_error());
    try {
        m_description = nlohmann::json::parse(text.c_str());
        const auto& process = m_description.at("process");
        const auto& couplings = m_description.at("couplings");
        m_pdg_ids = process.at("pdg_ids").get<std::vector<int>>();
        m_n_in = process.at("n_incoming");
        m_alpha = couplings.at("alpha");
        m_alpha_s_power = couplings.at("alpha_s_power");
        m_alpha_power = couplings.at("alpha_power");
        m_average = m_description.at("spin_colour_average");
        const std::string found = m_description.at("kind");
        if (found != kind)
            Stop(source + ": a " + found + " found, a " + kind + " expected; MODEL takes a trained model file, " +
                 "TRUTH the name of a built-in amplitude");
    } catch (const nlohmann::json::exception& error) {
        Stop(m_library.Path() + ": its description of " + source + " cannot be read (" + error.what() +
             "); use the libpyamp.so built with this plugin");
    }
    m_momenta.resize(4 * m_pdg_ids.size());
}

Amplitude::~Amplitude() { m_library.close(p_handle); }

bool Amplitude::MapLegs(const std::vector<int>& sherpa_pdg_ids) {
    if (sherpa_pdg_ids.size() != m_pdg_ids.size()) return false;
    std::vector<std::size_t> legs;
    std::vector<bool> taken(m_pdg_ids.size(), false);
    for (std::size_t model = 0; model < m_pdg_ids.size(); ++model) {
        const std::size_t first = model < static_cast<std::size_t>(m_n_in) ? 0 : m_n_in;
        const std::size_t last = first ? m_pdg_ids.size() : m_n_in;
        std::size_t leg = first;
        while (leg < last && (taken[leg] || sherpa_pdg_ids[leg] != m_pdg_ids[model])) ++leg;
        if (leg == last) return false;
        taken[leg] = true;
        legs.push_back(leg);
    }
    m_legs = legs;
    return true;
}

Amplitude::Value Amplitude::operator()(const ATOOLS::Vec4D_Vector& momenta, const Couplings& couplings) {
    for (std::size_t leg = 0; leg < m_legs.size(); ++leg)
        for (std::size_t mu = 0; mu < 4; ++mu) m_momenta[leg + m_legs.size() * mu] = momenta[m_legs[leg]][mu];
    constexpr int in_keys[] = {PYAMP_IN_MOMENTA, PYAMP_IN_ALPHA_S};
    constexpr int out_keys[] = {PYAMP_OUT_AMPLITUDE, PYAMP_OUT_FLAGS, PYAMP_OUT_SIGMA_SYST, PYAMP_OUT_SIGMA_STAT};
    const void* in[] = {m_momenta.data(), &couplings.alpha_s};
    constexpr double nan = std::numeric_limits<double>::quiet_NaN();
    double amplitude = nan, sigma_syst = nan, sigma_stat = nan;
    std::int32_t flags = 0;
    void* out[] = {&amplitude, &flags, &sigma_syst, &sigma_stat};
    if (m_library.evaluate(p_handle, 1, 1, 0, 2, in_keys, in, m_uncertainty ? 4 : 2, out_keys, out) != PYAMP_SUCCESS)
        Stop(m_source + ": the evaluation failed: " + m_library.last_error());
    // Sherpa divides by the number of initial states itself. Its alpha need not be the one stored in the file.
    const double me2 = amplitude * m_average * std::pow(couplings.alpha / m_alpha, m_alpha_power);
    if (!std::isfinite(me2)) return {nan, flags | PYAMP_FLAG_FAILED, nan};
    return {me2, flags, std::hypot(sigma_syst, sigma_stat) / amplitude};
}

std::string Amplitude::ProcessName() const { return PyAmp::ProcessName(m_pdg_ids, m_n_in); }

}  // namespace PyAmp
