// The userhook PyAmpRecorder: every weighted event of Sherpa's own integrator becomes a point of training data.
//
// It needs no matrix element of pyamp: whatever generator or loop provider the card names is recorded.
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>

#include "ATOOLS/Org/Run_Parameter.H"
#include "ATOOLS/Phys/Blob_List.H"
#include "ATOOLS/Phys/Weight_Info.H"
#include "MODEL/Main/Model_Base.H"
#include "MODEL/Main/Running_AlphaS.H"
#include "PHASIC++/Main/Process_Integrator.H"
#include "PHASIC++/Process/ME_Generator_Base.H"
#include "PHASIC++/Process/Process_Base.H"
#include "SHERPA/Initialization/Initialization_Handler.H"
#include "SHERPA/Main/Sherpa.H"
#include "SHERPA/PerturbativePhysics/Matrix_Element_Handler.H"
#include "SHERPA/Tools/Userhook_Base.H"
#include "block.H"
#include "run.H"
#include "selectors.H"
#include "stop.H"
#include "training_data.H"

namespace PyAmp {
namespace {

namespace fs = std::filesystem;

struct RecorderSettings {
    std::string directory;
    TrainingData::Limits limits;
    std::string hdf5_library;

    static RecorderSettings FromCard() {
        Block block("PYAMP_RECORDER", {"DIRECTORY", "POINTS_PER_SHARD", "SECONDS_PER_SHARD", "HDF5_LIBRARY"},
                    "DIRECTORY: recorded");
        return {block.Text("DIRECTORY", "recorded"),
                {static_cast<std::size_t>(block.Number("POINTS_PER_SHARD", 5000.0, 0.0, 1e9, true)),
                 block.Number("SECONDS_PER_SHARD", 300.0, 0.0, 1e9, false)},
                block.Text("HDF5_LIBRARY", "")};
    }
};

std::vector<int> PdgIds(const PHASIC::Process_Base& process) {
    std::vector<int> ids;
    for (const auto& flavour : process.Flavours()) ids.push_back(static_cast<int>(static_cast<long>(flavour)));
    return ids;
}

nlohmann::json AsJson(const GuaranteedCuts& cuts) {
    nlohmann::json json = nlohmann::json::object();
    for (const auto& [id, minima] : cuts.pt_min)
        if (*std::max_element(minima.begin(), minima.end()) > 0.0) json["pt_min"][std::to_string(id)] = minima;
    for (const auto& [id, limit] : cuts.abs_eta_max) json["abs_eta_max"][std::to_string(id)] = limit;
    for (const auto& [pair, minimum] : cuts.delta_r_min)
        json["delta_r_min"][std::to_string(pair.first) + "," + std::to_string(pair.second)] = minimum;
    return json;
}

/// Helicity and colour states of the incoming legs.
int InitialStates(const PHASIC::Process_Base& process) {
    int states = 1;
    for (std::size_t leg = 0; leg < process.NIn(); ++leg)
        states *= 2 * std::max(1, std::abs(process.Flavours()[leg].StrongCharge()));
    return states;
}

/// Ways in which the beams give the two incoming legs, all of them among the points: either leg may come from either
/// proton.
int BeamAssignments(const PHASIC::Process_Base& process) {
    const auto &first = process.Flavours()[0], &second = process.Flavours()[1];
    const auto* isr = process.Integrator()->ISR();
    return isr->On() && !(first == second) && isr->AllowSwap(first, second) ? 2 : 1;
}

/// What pyamp.truth() calls the matrix element; empty if it has no name there.
std::string TruthName(const PHASIC::Process_Base& process, const std::vector<int>& pdg_ids) {
    const std::string generator = process.Generator()->Name(), loop = process.Info().m_loopgenerator;
    if (loop == "PyAmp") {
        const TruthSource& truth = Run::Instance().Card().truth;
        const auto tree = truth.options.find("tree");  // the name says nothing of other masses
        return tree == truth.options.end() || tree->empty() ? truth.source : "";
    }
    if (loop == "Internal" && (generator == "Amegic" || generator == "Comix"))
        return "sherpa:" + ProcessName(pdg_ids, static_cast<int>(process.NIn()));
    return "";
}

/// The one power of a coupling, or nothing.
std::optional<int> Order(const PHASIC::Process_Base& process, std::size_t coupling) {
    if (process.MaxOrders().size() <= coupling || process.MinOrders().size() <= coupling) return {};
    const double order = process.MaxOrder(coupling);
    if (order != process.MinOrder(coupling) || order != std::floor(order) || order > 50.0) return {};
    return static_cast<int>(order);
}

void CheckRecordable(const PHASIC::Process_Base& process) {
    const std::string name = "run card: process " + process.Name() + ": ";
    const auto& info = process.Info();
    if (info.m_fi.m_nlotype != ATOOLS::nlo_type::lo || info.m_ckkw)
        Stop(name + "PyAmpRecorder records matrix elements of one multiplicity and order; drop NLO_Mode and CKKW");
    if (info.m_kfactor != "None" && info.m_kfactor != "NO")
        Stop(name + "KFACTOR is " + info.m_kfactor + ", the matrix element would not be what is recorded; drop it");
    const bool sums_colours = !process.Integrator()->ColorIntegrator() || info.m_cls == PHASIC::cls::sum;
    if (!sums_colours || process.Integrator()->HelicityIntegrator())
        Stop(name + "colours or helicities are sampled, so that |M|^2 is no function of the momenta; take the " +
             "generator Amegic, or give COLOR_SCHEME: 1 and HELICITY_SCHEME: 1 (both summed) for Comix");
    if (!Order(process, 0) || !Order(process, 1))
        Stop(name + "no single order in the couplings; give Order: {QCD: 2, EW: 2}, the powers of |M|^2");
    for (std::size_t leg = 0; leg < process.NIn(); ++leg)
        if (process.Flavours()[leg].IsNeutrino())
            Stop(name + "incoming neutrinos, whose average over helicities is not known here");
    if (info.m_loopgenerator == "PyAmp" && Run::Instance().Card().mode != Mode::truth)
        Stop(name + "PYAMP: MODE is " + NameOf(Run::Instance().Card().mode) +
             ", the surrogate would be recorded; give MODE: truth");
    for (const auto& flavour : process.Flavours())
        if (flavour.Mass() != 0.0) Stop(name + "leg " + flavour.IDName() + " has a mass, massless legs expected");
}

}  // namespace

class TrainingHook : public SHERPA::Userhook_Base {
 public:
    explicit TrainingHook(const SHERPA::Userhook_Arguments& args)
        : Userhook_Base("PyAmpRecorder"),
          m_matrix_elements(*args.p_sherpa->GetInitHandler()->GetMatrixElementHandler()),
          m_settings(RecorderSettings::FromCard()),
          m_hdf5(m_settings.hdf5_library) {
        if (m_matrix_elements.EventGenerationMode() != 0)
            Stop(
                "run card: USERHOOKS has PyAmpRecorder, and EVENT_GENERATION_MODE is not Weighted; unweighted events "
                "carry no phase-space weight: give EVENT_GENERATION_MODE: Weighted");
        const auto seeds = ATOOLS::Settings::GetMainSettings()["RANDOM_SEED"].GetVector<long>();
        for (const long seed : seeds)
            if (seed >= 0) m_seed += (m_seed.empty() ? "" : "-") + std::to_string(seed);
        if (m_seed.empty()) m_seed = "default";
        std::error_code error;
        fs::create_directories(m_settings.directory, error);
        if (error) Stop(m_settings.directory + ": cannot be made (" + error.message() + "); change DIRECTORY");
    }

    ATOOLS::Return_Value::code Run(ATOOLS::Blob_List* blobs) override {
        ATOOLS::Blob* signal = blobs->FindFirst(ATOOLS::btp::Signal_Process);
        if (!signal) return ATOOLS::Return_Value::Nothing;
        const PHASIC::Process_Base& process = *m_matrix_elements.Process();
        auto found = m_data.find(process.Name());
        if (found == m_data.end()) found = m_data.emplace(process.Name(), Begin(process)).first;
        auto& [alpha_s_power, couplings, data] = found->second;

        const auto& pdf = (*signal)["PDFInfo"]->Get<ATOOLS::PDF_Info>();
        const double alpha_s = (*MODEL::as)((*signal)["Renormalization_Scale"]->Get<double>());
        const double weight = (*signal)["WeightsMap"]->Get<ATOOLS::Weights_Map>().Nominal();
        // Sherpa's value has the factor for identical outgoing particles in it; ours never.
        const double me2 = (*signal)["MEWeight"]->Get<double>() * process.SymFac() / process.ISSymFac();
        const double pdf_weight = pdf.m_xf1 * pdf.m_xf2;
        const double phase_space_weight = weight / (me2 * pdf_weight);
        const long trial = ATOOLS::rpa->gen.NumberOfTrials() - 1;
        const bool is_good = me2 > 0.0 && std::isfinite(me2) && std::isfinite(phase_space_weight);
        if (is_good)
            data->Add({process.Integrator()->Momenta(), me2 / (couplings * std::pow(alpha_s, alpha_s_power)),
                       phase_space_weight, pdf_weight, alpha_s, trial});
        else
            data->AddFailed(trial);
        return ATOOLS::Return_Value::Nothing;
    }

    void Finish() override {
        for (auto& [name, process] : m_data) process.data->Write(ATOOLS::rpa->gen.NumberOfTrials());
    }

 private:
    struct Recorded {
        int alpha_s_power;
        double couplings;  ///< those that do not run
        std::unique_ptr<TrainingData> data;
    };

    Recorded Begin(const PHASIC::Process_Base& process) {
        CheckRecordable(process);
        const auto ids = PdgIds(process);
        const int n_in = static_cast<int>(process.NIn());
        const double alpha = MODEL::s_model->ScalarConstant("alpha_QED");
        const double energy = ATOOLS::rpa->gen.Ecms();
        const nlohmann::json facts = {
            {"pdg_ids", ids},
            {"n_incoming", n_in},
            {"alpha_s_power", *Order(process, 0)},
            {"alpha_power", *Order(process, 1)},
            {"alpha", alpha},
            {"spin_colour_average", InitialStates(process)},
            {"truth", TruthName(process, ids)},
            {"beam_assignments", BeamAssignments(process)},
            {"sherpa", SHERPA_VERSION_TEXT},
            {"generator", process.Generator()->Name()},
            {"loop_generator", process.Info().m_loopgenerator},
            {"process", process.Name()},
            {process.Integrator()->ISR()->On() ? "sqrt_s" : "sqrt_s_hat", energy},
            {"cuts", AsJson(GuaranteedCuts::FromCard({ids.begin() + n_in, ids.end()}))},
            {"random_seed", m_seed},
        };
        std::string tag;
        for (std::size_t leg = 0; leg < ids.size(); ++leg)
            tag += (leg == 0 ? "" : static_cast<int>(leg) == n_in ? "_to_" : "_") + std::to_string(ids[leg]);
        const fs::path folder = fs::path(m_settings.directory) / tag;
        fs::create_directories(folder);
        const std::string path = (folder / ("seed-" + m_seed + "-shard-")).string();
        if (fs::exists(path + "000000.h5"))
            Stop(folder.string() + ": already has points of RANDOM_SEED " + m_seed + ", the same would be recorded " +
                 "again; give another RANDOM_SEED, or another PYAMP_RECORDER: {DIRECTORY: path}");
        return {*Order(process, 0), std::pow(alpha, *Order(process, 1)),
                std::make_unique<TrainingData>(m_hdf5, path, facts, m_settings.limits, 0)};
    }

    SHERPA::Matrix_Element_Handler& m_matrix_elements;
    RecorderSettings m_settings;
    Hdf5Library m_hdf5;
    std::string m_seed;
    std::map<std::string, Recorded> m_data;
};

}  // namespace PyAmp

using PyAmp::TrainingHook;
using SHERPA::Userhook_Arguments;
using SHERPA::Userhook_Base;
DECLARE_USERHOOK_GETTER(TrainingHook, "PyAmpRecorder")
