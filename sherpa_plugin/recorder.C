// Writes the first points of a run as they were evaluated.
#include <iomanip>
#include <limits>

#include "recorder.H"
#include "stop.H"

namespace PyAmp {

void Recorder::Open(std::size_t n_legs) {
    m_file.open(m_path);
    if (!m_file) Stop(m_path + ": cannot be written; give PYAMP: {RECORD_FILE: path}");
    m_file << "alpha_s,alpha,from_truth,me2_summed";
    for (std::size_t leg = 0; leg < n_legs; ++leg)
        for (const char* component : {"e", "px", "py", "pz"}) m_file << ',' << component << leg;
    m_file << '\n' << std::setprecision(std::numeric_limits<double>::max_digits10);
}

void Recorder::Record(const ATOOLS::Vec4D_Vector& momenta, const std::vector<std::size_t>& legs,
                      const Couplings& couplings, bool from_truth, double me2) {
    if (m_left <= 0) return;
    if (!m_file.is_open()) Open(legs.size());
    m_file << couplings.alpha_s << ',' << couplings.alpha << ',' << from_truth << ',' << me2;
    for (const std::size_t leg : legs)
        for (int mu = 0; mu < 4; ++mu) m_file << ',' << momenta[leg][mu];
    m_file << '\n';
    if (--m_left == 0) m_file.close();
}

}  // namespace PyAmp
