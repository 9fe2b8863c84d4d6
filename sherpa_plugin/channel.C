// Integrator: PyAmp, phase-space channels for massless legs of which the gluons are radiated off the beams.
//
// Legs are emitted one after the other, each from what the earlier ones leave over (emission.H); the last two are
// isotropic in their common rest frame, dPhi_2 = dcos(theta*) dphi* / (32 pi^2). The matrix element goes like 1/k_T^2
// of every gluon between its cut and the kinematic limit, flat in the gluon's rapidity, so that gluons are emitted as
// soft radiation; and it is enhanced where the mass of what remains last is small against the energy: there is a
// second channel in which the last emission is a recoil. Sherpa's Vegas refines every variable, its multi-channel
// weighs the channels.
//
// A lepton and its antiparticle stem from one Z or photon, and are what remains last: their mass follows the
// resonance in one channel and 1/M^2 in another, for each species of leg that may be the last emission. Pairs of
// quarks get no mass of their own: between jets that are apart from each other the weights show no peak in it.
//
// Sherpa 3.0 hands a channel its momenta in the laboratory; its own Rambo ignores that and generates in the partonic
// frame, so that it is right for beams of fixed partonic energy only. These channels use k_T and rapidities.
#include <algorithm>
#include <cmath>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "ATOOLS/Math/Poincare.H"
#include "ATOOLS/Math/Vector.H"
#include "PHASIC++/Channels/Channel_Generator.H"
#include "PHASIC++/Channels/Multi_Channel.H"
#include "PHASIC++/Channels/Single_Channel.H"
#include "PHASIC++/Channels/Vegas.H"
#include "PHASIC++/Process/Process_Base.H"
#include "emission.H"
#include "selectors.H"
#include "stop.H"

namespace PyAmp {
namespace {

using ATOOLS::Vec3D;
using ATOOLS::Vec4D;

/// The variables, each of them mapped to [0, 1): those of the pair, then those of every emission.
enum PairVariable { cos_theta, phi_star, n_pair };
enum EmissionVariable { hardness, eta, phi, n_emission };

/// The azimuth over 2 pi, from 0 to 1.
double Turns(double azimuth) {
    const double turns = azimuth / (2.0 * M_PI);
    return turns - std::floor(turns);
}

/// Axes of the pair's rest frame (Collins-Soper): z halves the angle between one beam and the other reversed, x lies
/// in the plane of the beams.
struct Axes {
    Vec3D x, y, z;

    Axes(const Vec4D& beam_0, const Vec4D& beam_1, ATOOLS::Poincare& to_rest_frame) {
        Vec4D a = beam_0, b = beam_1;
        to_rest_frame.Boost(a);
        to_rest_frame.Boost(b);
        const Vec3D unit_a = Vec3D(a) / a[0], unit_b = Vec3D(b) / b[0];
        z = Normalised(unit_a - unit_b, Vec3D(0.0, 0.0, 1.0));
        const Vec3D any = std::abs(z[1]) < 0.9 ? Vec3D(1.0, 0.0, 0.0) : Vec3D(0.0, 1.0, 0.0);
        const Vec3D sum = unit_a + unit_b;
        x = Normalised(sum - (sum * z) * z, Normalised(any - (any * z) * z, any));
        y = ATOOLS::cross(z, x);
    }

 private:
    static Vec3D Normalised(const Vec3D& vector, const Vec3D& fallback) {
        const double length = std::sqrt(vector.Sqr());
        return length > 1e-12 ? vector / length : fallback;
    }
};

/// Legs that share the beams' energy without transverse momentum: conserves momentum and fails every cut on p_T.
void AlongTheBeams(Vec4D* p, int n_out) {
    for (int i = 0; i < n_out; ++i) {
        const int side = i % 2, legs_of_side = (n_out + 1 - side) / 2;
        p[2 + i] = p[side] / static_cast<double>(legs_of_side);
    }
}

}  // namespace

class Emissions_And_Pair : public PHASIC::Single_Channel {
 public:
    struct Step {
        int leg;
        std::shared_ptr<const Emission> emission;
    };
    /// @param steps the emissions in order
    /// @param first, second legs of the pair
    Emissions_And_Pair(int n_in, int n_out, const ATOOLS::Flavour* flavours, const std::string& name,
                       std::vector<Step> steps, int first, int second)
        : Single_Channel(n_in, n_out, flavours),
          m_steps(std::move(steps)),
          m_first(first),
          m_second(second),
          m_vegas(n_pair + n_emission * static_cast<int>(m_steps.size()), 100, name) {
        m_name = name;
        m_rannum = n_pair + n_emission * m_steps.size();
        p_rans = new double[m_rannum];
        m_vegas.ConstChannel(n_pair + phi);  // nothing depends on the azimuth of the whole event
    }

    void GeneratePoint(Vec4D* p, PHASIC::Cut_Data*, double* random) override {
        const double* u = m_vegas.GeneratePoint(random);
        std::copy(u, u + m_rannum, p_rans);
        Vec4D rest = p[0] + p[1];
        for (std::size_t i = 0; i < m_steps.size(); ++i) {
            const double* v = u + n_pair + n_emission * i;
            const System system(rest);
            const double angle = 2.0 * M_PI * v[phi];
            const auto leg = m_steps[i].emission->Point(system, angle, v[hardness], v[eta]);
            if (!(leg.density > 0.0)) return AlongTheBeams(p, m_nout);
            const double azimuth = system.azimuth + angle, rapidity = system.rapidity + leg.deta;
            p[m_steps[i].leg] =
                leg.kt * Vec4D(std::cosh(rapidity), std::cos(azimuth), std::sin(azimuth), std::sinh(rapidity));
            rest -= p[m_steps[i].leg];
        }
        ATOOLS::Poincare rest_frame(rest);
        const Axes axes(p[0], p[1], rest_frame);
        const double cosine = 2.0 * u[cos_theta] - 1.0, sine = std::sqrt(std::max(0.0, 1.0 - cosine * cosine));
        const double star = 2.0 * M_PI * u[phi_star];
        const Vec3D direction = cosine * axes.z + (sine * std::cos(star)) * axes.x + (sine * std::sin(star)) * axes.y;
        const double half = 0.5 * std::sqrt(std::max(0.0, rest.Abs2()));
        p[m_first] = Vec4D(half, half * direction);
        rest_frame.BoostBack(p[m_first]);
        p[m_second] = rest - p[m_first];
    }

    void GenerateWeight(Vec4D* p, PHASIC::Cut_Data*) override {
        m_weight = 0.0;  // Sherpa's sign for a point that the channel does not generate
        // dPhi_n = prod [density dphi/(2 pi)^3] dcos(theta*) dphi*/(32 pi^2), the angles over 2 pi, 2 and 2 pi
        double weight = 1.0 / (8.0 * M_PI);
        Vec4D rest = p[0] + p[1];
        for (std::size_t i = 0; i < m_steps.size(); ++i) {
            double* v = p_rans + n_pair + n_emission * i;
            const System system(rest);
            const Vec4D& leg = p[m_steps[i].leg];
            const double kt = leg.PPerp(), angle = std::atan2(leg[2], leg[1]) - system.azimuth;
            const double deta = std::asinh(leg[3] / kt) - system.rapidity;
            weight *= m_steps[i].emission->Weight(system, angle, kt, deta, v[hardness], v[eta]) / (4.0 * M_PI * M_PI);
            if (!(weight > 0.0)) return;
            v[phi] = Turns(angle);
            rest -= leg;
        }
        ATOOLS::Poincare rest_frame(rest);
        const Axes axes(p[0], p[1], rest_frame);
        Vec4D leg = p[m_first];
        rest_frame.Boost(leg);
        const Vec3D direction = Vec3D(leg) / leg[0];
        p_rans[cos_theta] = 0.5 * (1.0 + direction * axes.z);
        p_rans[phi_star] = Turns(std::atan2(direction * axes.y, direction * axes.x));
        for (std::size_t i = 0; i < m_rannum; ++i) p_rans[i] = std::min(std::max(p_rans[i], 0.0), 1.0 - 1e-15);
        m_weight = m_vegas.GenerateWeight(p_rans) * weight;
    }

    void AddPoint(double value) override {
        Single_Channel::AddPoint(value);
        m_vegas.AddPoint(value, p_rans);
    }
    void Optimize() override { m_vegas.Optimize(); }
    void EndOptimize() override { m_vegas.EndOptimize(); }
    bool OptimizationFinished() override { return m_vegas.Finished(); }
    void MPISync() override { m_vegas.MPISync(); }
    void WriteOut(std::string directory) override { m_vegas.WriteOut(directory); }
    void ReadIn(std::string directory) override { m_vegas.ReadIn(directory); }

 private:
    std::vector<Step> m_steps;
    int m_first, m_second;
    PHASIC::Vegas m_vegas;
};

class Channels : public PHASIC::Channel_Generator {
 public:
    explicit Channels(const PHASIC::Channel_Generator_Key& key) : Channel_Generator(key) {}

    int GenerateChannels() override {
        const auto& flavours = p_proc->Flavours();
        const int n_in = static_cast<int>(p_proc->NIn()), n_out = static_cast<int>(p_proc->NOut());
        std::vector<int> outgoing;
        bool massless = true;
        for (int leg = n_in; leg < n_in + n_out; ++leg) {
            massless = massless && flavours[leg].Mass() == 0.0;
            outgoing.push_back(static_cast<int>(static_cast<long>(flavours[leg])));
        }
        if (n_in != 2 || n_out < 3 || !massless)
            Stop("run card: Integrator PyAmp knows 2 -> 3 and larger processes with massless legs, found " +
                 p_proc->Name() + "; take Integrator: Rambo");
        auto& own = p_proc->Info().m_selectors;
        const auto cuts =
            own.GetItemsCount() ? GuaranteedCuts::Of(own, outgoing) : GuaranteedCuts::FromCard(outgoing);
        AddChannels(outgoing, cuts);
        return 0;
    }

 private:
    using Order = std::vector<int>;  ///< positions among the outgoing legs

    void AddChannels(const std::vector<int>& outgoing, const GuaranteedCuts& cuts) {
        const int n_out = static_cast<int>(outgoing.size());
        bool leptons = false;
        for (int j = 0; j < n_out; ++j)
            for (int i = 0; i < j; ++i)
                if (outgoing[i] + outgoing[j] == 0 && p_proc->Flavours()[2 + i].IsLepton()) {
                    AddLeptonPair(outgoing, cuts, i, j);
                    leptons = true;
                }
        if (leptons) return;
        const auto gluons = [&](int i, int j) { return (outgoing[i] == kf_gluon) + (outgoing[j] == kf_gluon); };
        int fewest = 2;
        for (int j = 0; j < n_out; ++j)
            for (int i = 0; i < j; ++i) fewest = std::min(fewest, gluons(i, j));
        // every pair of legs with as few gluons as there can be: the others are emitted
        for (int j = 0; j < n_out; ++j)
            for (int i = 0; i < j; ++i)
                if (gluons(i, j) == fewest) {
                    const Order others = Others(n_out, i, j);
                    const double kt_min = PtMin(outgoing, cuts, others.back());
                    Add(outgoing, cuts, others, i, j, "Radiation", nullptr);
                    Add(outgoing, cuts, others, i, j, "Recoil", LogarithmicMass(kt_min * kt_min));
                }
    }

    /// Of identical legs only one is ever the last emission.
    void AddLeptonPair(const std::vector<int>& outgoing, const GuaranteedCuts& cuts, int first, int second) {
        const ATOOLS::Flavour z(kf_Z);
        const Order others = Others(static_cast<int>(outgoing.size()), first, second);
        std::set<int> species;
        for (const int last : others) {
            if (!species.insert(outgoing[last]).second) continue;
            Order order = others;
            order.erase(std::find(order.begin(), order.end(), last));
            order.push_back(last);
            const std::string leg = "_" + std::to_string(2 + last);
            Add(outgoing, cuts, order, first, second, "Z" + leg, ResonantMass(z.Mass(), z.Width()));
            if (p_proc->Flavours()[2 + first].Charge() == 0.0) continue;
            const double kt_min = PtMin(outgoing, cuts, last);
            const bool has_minimum = cuts.Mass2(outgoing, {first, second}).min > 0.0;
            Add(outgoing, cuts, order, first, second, "Photon" + leg,
                LogarithmicMass(has_minimum ? 0.0 : kt_min * kt_min));
        }
    }

    static Order Others(int n_out, int first, int second) {
        Order others;
        for (int leg = 0; leg < n_out; ++leg)
            if (leg != first && leg != second) others.push_back(leg);
        return others;
    }

    static double PtMin(const std::vector<int>& outgoing, const GuaranteedCuts& cuts, int leg) {
        const int id = outgoing[leg];
        const double minimum = cuts.pt_min.at(std::abs(id)).back();
        if (!(minimum > 0.0))
            Stop("run card: Integrator PyAmp found no lower cut on p_T of " + std::to_string(id) +
                 ", below which it would generate nothing; add [PT, " + std::to_string(id) +
                 ", minimum, E_CMS] to SELECTORS, or take Integrator: Rambo");
        return minimum;
    }

    /// @param emitted in this order, each leg by radiation
    /// @param mass how the mass of what the last emission leaves is spread; nullptr: that is radiation too
    void Add(const std::vector<int>& outgoing, const GuaranteedCuts& cuts, const Order& emitted, int first,
             int second, const std::string& name, std::unique_ptr<MassMap> mass) {
        const int n_in = 2, n_out = static_cast<int>(outgoing.size());
        std::vector<Emissions_And_Pair::Step> steps;
        for (std::size_t i = 0; i < emitted.size(); ++i) {
            Order remaining(emitted.begin() + i + 1, emitted.end());
            remaining.insert(remaining.end(), {first, second});
            const double kt_min = PtMin(outgoing, cuts, emitted[i]);
            const Mass2Range rest = cuts.Mass2(outgoing, remaining);
            const bool recoils = mass && remaining.size() == 2;
            steps.push_back(
                {n_in + emitted[i], recoils ? Recoil(kt_min, rest, std::move(mass)) : Radiation(kt_min, rest)});
        }
        const std::string pair = std::to_string(n_in + first) + "_" + std::to_string(n_in + second);
        p_mc->Add(new Emissions_And_Pair(n_in, n_out, &p_proc->Flavours().front(), "PyAmp_" + name + "_" + pair,
                                         std::move(steps), n_in + first, n_in + second));
    }
};

}  // namespace PyAmp

DECLARE_GETTER(PyAmp::Channels, "PyAmp", PHASIC::Channel_Generator, PHASIC::Channel_Generator_Key);

PHASIC::Channel_Generator*
ATOOLS::Getter<PHASIC::Channel_Generator, PHASIC::Channel_Generator_Key, PyAmp::Channels>::operator()(
    const PHASIC::Channel_Generator_Key& key) const {
    return new PyAmp::Channels(key);
}

void ATOOLS::Getter<PHASIC::Channel_Generator, PHASIC::Channel_Generator_Key, PyAmp::Channels>::PrintInfo(
    std::ostream& stream, const std::size_t) const {
    stream << "massless legs, gluons radiated off the beams";
}
