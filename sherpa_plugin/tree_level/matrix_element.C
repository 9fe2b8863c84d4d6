// Sherpa's own tree-level generators by way of its MEProcess.
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <sstream>
#include <stdexcept>

#include "ATOOLS/Math/Poincare.H"
#include "ATOOLS/Org/Exception.H"
#include "ATOOLS/Org/My_MPI.H"
#include "MODEL/Main/Model_Base.H"
#include "PHASIC++/Process/Process_Base.H"
#include "SHERPA/Initialization/Initialization_Handler.H"
#include "SHERPA/PerturbativePhysics/Matrix_Element_Handler.H"
#include "tree_level/matrix_element.H"

namespace PyAmp {
namespace {

namespace fs = std::filesystem;

/// Generators read and write their folder while they start, and several workers share it.
class Lock {
 public:
    explicit Lock(const fs::path& folder)
        : m_file(::open((folder / "lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666)) {
        if (m_file < 0 || ::flock(m_file, LOCK_EX) != 0)
            throw std::runtime_error((folder / "lock").string() + ": cannot be locked");
    }
    ~Lock() { ::close(m_file); }
    Lock(const Lock&) = delete;
    Lock& operator=(const Lock&) = delete;

 private:
    int m_file;
};

/// What an exception prints, on one line: "Critical error thrown in CLASS:\n  reason" with the colours of a terminal.
std::string Reason(const ATOOLS::Exception& exception) {
    std::stringstream printed;
    printed << exception;
    std::string text;
    for (std::string word; printed >> word;) {
        for (auto begin = word.find('\x1b'); begin != std::string::npos; begin = word.find('\x1b'))
            word.erase(begin, std::min(word.find('m', begin), word.size() - 1) - begin + 1);
        text += (text.empty() ? "" : " ") + word;
    }
    return text;
}

/// AMEGIC's sum over the helicities of incoming gluons is right for beams along z only, elsewhere off by per mille.
void AlignBeams(ATOOLS::Vec4D_Vector& p) {
    if (std::max(p[0].PPerp(), p[1].PPerp()) <= 1e-12 * std::max(p[0][0], p[1][0])) return;
    ATOOLS::Poincare rest(p[0] + p[1]);
    for (auto& leg : p) rest.Boost(leg);
    ATOOLS::Poincare to_z(p[0], ATOOLS::Vec4D::ZVEC);
    for (auto& leg : p) to_z.Rotate(leg);
}

}  // namespace

TreeLevel::TreeLevel(const std::string& card, const std::vector<int>& incoming, const std::vector<int>& outgoing) {
    const fs::path folder = fs::path(card).parent_path();
    const Lock lock(folder);
    fs::current_path(folder);
    try {
        std::string name = "Sherpa", file = fs::path(card).filename().string();
        char* arguments[] = {name.data(), file.data(), nullptr};
        p_sherpa = new SHERPA::Sherpa(2, arguments);
        p_sherpa->InitializeTheRun();
        p_process = new MEProcess(p_sherpa);
        MapLegs(incoming, outgoing);
        p_process->Initialize();
    } catch (const ATOOLS::Exception& exception) {
        throw std::runtime_error("Sherpa: " + Reason(exception));
    }
    m_alpha_s = MODEL::s_model->ScalarConstant("alpha_S");
    m_alpha = MODEL::s_model->ScalarConstant("alpha_QED");
}

void TreeLevel::MapLegs(const std::vector<int>& incoming, const std::vector<int>& outgoing) {
    const auto processes = p_sherpa->GetInitHandler()->GetMatrixElementHandler()->AllProcesses();
    if (processes.size() != 1)
        throw std::runtime_error("the run card gives " + std::to_string(processes.size()) +
                                 " processes, one expected");
    std::vector<int> ours = incoming;
    ours.insert(ours.end(), outgoing.begin(), outgoing.end());
    std::vector<bool> taken(ours.size(), false);
    // Sherpa finds a process under its own order of legs only.
    const auto& flavours = processes[0]->Flavours();
    for (std::size_t leg = 0; leg < flavours.size(); ++leg) {
        const int id = static_cast<int>(static_cast<long>(flavours[leg]));
        const bool is_incoming = leg < incoming.size();
        std::size_t k = is_incoming ? 0 : incoming.size();
        const std::size_t end = is_incoming ? incoming.size() : ours.size();
        while (k < end && (taken[k] || ours[k] != id)) ++k;
        if (k == end) throw std::runtime_error("the run card has another process, " + processes[0]->Name());
        taken[k] = true;
        m_legs.push_back(k);
        is_incoming ? p_process->AddInFlav(id) : p_process->AddOutFlav(id);
    }
}

double TreeLevel::operator()(const double* momenta) {
    ATOOLS::Vec4D_Vector p;
    for (const std::size_t leg : m_legs)
        p.emplace_back(momenta[5 * leg], momenta[5 * leg + 1], momenta[5 * leg + 2], momenta[5 * leg + 3]);
    AlignBeams(p);
    for (std::size_t leg = 0; leg < p.size(); ++leg) p_process->SetMomentum(leg, p[leg]);
    try {
        return p_process->CSMatrixElement();
    } catch (const ATOOLS::Exception& exception) {
        throw std::runtime_error("Sherpa: " + Reason(exception));
    }
}

}  // namespace PyAmp
