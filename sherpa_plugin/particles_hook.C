// The userhook PyAmpParticles: final-state particles of the events that survive the second stage, as HepMC3.
#include <algorithm>
#include <cmath>
#include <fstream>
#include <iomanip>
#include <limits>

#include "ATOOLS/Org/Run_Parameter.H"
#include "ATOOLS/Phys/Blob_List.H"
#include "ATOOLS/Phys/Weights.H"
#include "SHERPA/Main/Sherpa.H"
#include "SHERPA/Tools/Userhook_Base.H"
#include "block.H"
#include "run.H"
#include "stop.H"

namespace PyAmp {
namespace {

/// The hooks run in the order of the card.
void CheckOrder() {
    const auto hooks = ATOOLS::Settings::GetMainSettings()["USERHOOKS"]
                           .SetDefault("None")
                           .UseNoneReplacements()
                           .GetVector<std::string>();
    const auto particles = std::find(hooks.begin(), hooks.end(), "PyAmpParticles");
    if (std::find(particles, hooks.end(), "PyAmp") != hooks.end())
        Stop(
            "run card: USERHOOKS has PyAmpParticles before PyAmp, it would write what the second stage then "
            "rejects; " +
            std::string("give USERHOOKS: [PyAmp, PyAmpParticles]"));
}

std::string PathFromCard() {
    Block block("PYAMP_PARTICLES", {"FILE"}, "FILE: particles.hepmc");
    return block.Text("FILE", "particles.hepmc");
}

}  // namespace

/// HepMC3 in its text format, one vertex from the beams to all that is left in the end.
class ParticlesHook : public SHERPA::Userhook_Base {
 public:
    explicit ParticlesHook(const SHERPA::Userhook_Arguments&)
        : Userhook_Base("PyAmpParticles"), m_path(PathFromCard()), m_file(m_path) {
        CheckOrder();
        if (!m_file) Stop(m_path + ": the particles cannot be written there; change PYAMP_PARTICLES: {FILE: path}");
        m_file << "HepMC::Version 3.02.00\nHepMC::Asciiv3-START_EVENT_LISTING\nW Weight\\|NTrials\n"
               << std::setprecision(std::numeric_limits<double>::max_digits10);
    }

    ATOOLS::Return_Value::code Run(ATOOLS::Blob_List* blobs) override {
        ATOOLS::Blob* signal = blobs->FindFirst(ATOOLS::btp::Signal_Process);
        // Sherpa runs the hooks that are left even of an event that one has rejected.
        if (!signal || (PyAmp::Run::Exists() && PyAmp::Run::Instance().HasRejected()))
            return ATOOLS::Return_Value::Nothing;
        const double weight = (*signal)["WeightsMap"]->Get<ATOOLS::Weights_Map>().Nominal();
        // Since the last event written, whatever became of those between.
        const long trials = ATOOLS::rpa->gen.NumberOfTrials() - m_trials;
        m_trials += trials;
        m_sum += weight;
        m_square_sum += weight * weight;
        const double mean = m_sum / m_trials;
        const double error = std::sqrt(std::max(0.0, m_square_sum / m_trials - mean * mean) / m_trials);

        ATOOLS::Particle_List particles = blobs->ExtractLooseParticles();
        // what comes from nothing are the beams
        particles.erase(std::remove_if(particles.begin(), particles.end(),
                                       [](const ATOOLS::Particle* p) { return !p->ProductionBlob(); }),
                        particles.end());
        m_file << "E " << m_events << " 1 " << particles.size() + 2 << "\nU GEV MM\nW " << weight << ' ' << trials
               << "\nA 0 GenCrossSection " << mean << ' ' << error << ' ' << m_events + 1 << ' ' << m_trials << '\n';
        Write(1, 0, ATOOLS::rpa->gen.Beam1(), ATOOLS::rpa->gen.PBeam(0), 4);
        Write(2, 0, ATOOLS::rpa->gen.Beam2(), ATOOLS::rpa->gen.PBeam(1), 4);
        m_file << "V -1 0 [1,2]\n";
        int id = 2;
        for (const ATOOLS::Particle* particle : particles) Write(++id, -1, particle->Flav(), particle->Momentum(), 1);
        ++m_events;
        return ATOOLS::Return_Value::Nothing;
    }

    void Finish() override {
        m_file << "HepMC::Asciiv3-END_EVENT_LISTING\n";
        m_file.close();
        if (!m_file) Stop(m_path + ": the particles could not all be written; is the disk full?");
    }

 private:
    void Write(int id, int origin, const ATOOLS::Flavour& flavour, const ATOOLS::Vec4D& p, int status) {
        m_file << "P " << id << ' ' << origin << ' ' << static_cast<long>(flavour) << ' ' << p[1] << ' ' << p[2]
               << ' ' << p[3] << ' ' << p[0] << ' ' << flavour.Mass() << ' ' << status << '\n';
    }

    std::string m_path;
    std::ofstream m_file;
    long m_events = 0, m_trials = 0;
    double m_sum = 0.0, m_square_sum = 0.0;
};

}  // namespace PyAmp

using PyAmp::ParticlesHook;
using SHERPA::Userhook_Arguments;
using SHERPA::Userhook_Base;
DECLARE_USERHOOK_GETTER(ParticlesHook, "PyAmpParticles")
