// Shards of training data.
#include <cstdio>
#include <limits>

#include "training_data.H"

namespace PyAmp {

TrainingData::TrainingData(const Hdf5Library& library, const std::string& path, const nlohmann::json& facts,
                           const Limits& limits, long first_trial)
    : m_library(library),
      m_path(path),
      m_facts(facts),
      m_limits(limits),
      m_begin_trial(first_trial),
      m_begin(std::chrono::steady_clock::now()),
      m_n_legs(facts.at("pdg_ids").size()) {}

void TrainingData::Add(const RecordedPoint& point) {
    for (const auto& p : point.momenta)
        for (int mu = 0; mu < 4; ++mu) m_momenta.push_back(p[mu]);
    m_amplitude.push_back(point.amplitude);
    m_phase_space_weight.push_back(point.phase_space_weight);
    m_pdf_weight.push_back(point.pdf_weight);
    m_alpha_s.push_back(point.alpha_s);
    m_trial.push_back(point.trial);
    WriteIfDue(point.trial + 1);
}

void TrainingData::AddFailed(long trial) {
    m_failed_trial.push_back(trial);
    WriteIfDue(trial + 1);
}

void TrainingData::WriteIfDue(long end_trial) {
    const std::chrono::duration<double> waited = std::chrono::steady_clock::now() - m_begin;
    if (m_trial.size() >= m_limits.points || waited.count() >= m_limits.seconds) Write(end_trial);
}

void TrainingData::Write(long end_trial) {
    char number[32];
    std::snprintf(number, sizeof number, "%06d.h5", m_shard++);
    const int dimension = 2 * static_cast<int>(m_n_legs) - 8;
    m_facts["begin_trial"] = m_begin_trial;
    m_facts["end_trial"] = end_trial;

    Hdf5File file(m_library, m_path + number);
    file.Attribute("format", "pyamp recording");
    file.Attribute("recording", m_facts.dump());
    file.Column("momenta", m_momenta, "GeV", {m_n_legs, 4});
    file.Column("amplitude", m_amplitude, "GeV^" + std::to_string(-dimension));
    file.Column("phase_space_weight", m_phase_space_weight, "pb GeV^" + std::to_string(dimension));
    file.Column("pdf_weight", m_pdf_weight, "1");
    file.Column("alpha_s", m_alpha_s, "1");
    file.Column("trial", m_trial, "1");
    file.Column("failed_trial", m_failed_trial, "1");
    file.Finish();

    for (auto* column : {&m_momenta, &m_amplitude, &m_phase_space_weight, &m_pdf_weight, &m_alpha_s}) column->clear();
    m_trial.clear();
    m_failed_trial.clear();
    m_begin_trial = end_trial;
    m_begin = std::chrono::steady_clock::now();
}

}  // namespace PyAmp
