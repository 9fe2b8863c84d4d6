// Integrator: PyAmp, phase-space channels for two massless particles and a gluon that is radiated off the beams.
//
// The matrix element goes like 1/k_T^2 of the gluon between its cut and the kinematic limit, flat in the gluon's
// rapidity eta, and it is enhanced where the mass Q of the two others is small against the energy E: they then recoil
// together against the gluon. There is one channel for either, both in the partonic frame:
//   Radiation  d^3k/(2 k0) = k_T^2/2 dln(k_T) deta dphi
//   Recoil     d^3k/(2 k0) = k0/(4 E cosh^2 eta) dQ^2 deta dphi,     k0 = (E^2 - Q^2)/(2 E)
// and the two others are isotropic in their common rest frame, dPhi_2 = dcos(theta*) dphi* / (32 pi^2). Sherpa's
// Vegas refines every variable, its multi-channel weighs the channels.
//
// Sherpa 3.0 hands a channel its momenta in the laboratory; its own Rambo ignores that and generates in the partonic
// frame, so that it is right for beams of fixed partonic energy only. These channels boost.
#include <algorithm>
#include <cmath>
#include <memory>
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
#include "selectors.H"
#include "stop.H"

namespace PyAmp {
namespace {

using ATOOLS::Vec3D;
using ATOOLS::Vec4D;

/// The variables, each of them mapped to [0, 1).
enum Variable { hardness, eta, cos_theta, phi_star, phi, n_variables };

double Angle(double sine, double cosine) {
    const double angle = std::atan2(sine, cosine) / (2.0 * M_PI);
    return angle < 0.0 ? angle + 1.0 : angle;
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

/// Generates the gluon in the partonic frame at a given energy.
class Gluon_Map {
 public:
    /// @param kt_min lower cut on p_T of the gluon, GeV
    explicit Gluon_Map(double kt_min) : m_kt_min(kt_min) {}
    virtual ~Gluon_Map() = default;
    virtual std::string Name() const = 0;

    struct Gluon {
        double kt, rapidity;
        double density;  ///< d^3k/(2 k0) over dphi and the product of the two variables' intervals; 0: not generated
    };
    virtual Gluon Point(double energy, double u_hardness, double u_eta) const = 0;
    /// The inverse; sets the variables.
    virtual Gluon Weight(double energy, double kt, double rapidity, double& u_hardness, double& u_eta) const = 0;

 protected:
    double m_kt_min;
};

class Radiation : public Gluon_Map {
 public:
    using Gluon_Map::Gluon_Map;
    std::string Name() const override { return "PyAmp_Radiation"; }

    Gluon Point(double energy, double u_hardness, double u_eta) const override {
        const double kt = m_kt_min * std::exp(u_hardness * LnRange(energy));
        return {kt, (2.0 * u_eta - 1.0) * EtaMax(energy, kt), Density(energy, kt)};
    }

    Gluon Weight(double energy, double kt, double rapidity, double& u_hardness, double& u_eta) const override {
        u_hardness = std::log(kt / m_kt_min) / LnRange(energy);
        u_eta = 0.5 * (1.0 + rapidity / EtaMax(energy, kt));
        return {kt, rapidity, kt < m_kt_min ? 0.0 : Density(energy, kt)};
    }

 private:
    double LnRange(double energy) const { return std::log(0.5 * energy / m_kt_min); }
    static double EtaMax(double energy, double kt) { return std::acosh(std::max(1.0, 0.5 * energy / kt)); }
    double Density(double energy, double kt) const {
        return std::max(0.0, 0.5 * kt * kt * LnRange(energy) * 2.0 * EtaMax(energy, kt));
    }
};

class Recoil : public Gluon_Map {
 public:
    using Gluon_Map::Gluon_Map;
    std::string Name() const override { return "PyAmp_Recoil"; }

    Gluon Point(double energy, double u_hardness, double u_eta) const override {
        // ln(Q^2 + k_T,min^2) is flat: reaches down to Q = 0, where nothing is singular
        const double q2 = m_kt_min * m_kt_min * std::expm1(u_hardness * LnRange(energy));
        const double k0 = 0.5 * (energy - q2 / energy);
        const double rapidity = (2.0 * u_eta - 1.0) * EtaMax(k0);
        return {k0 / std::cosh(rapidity), rapidity, Density(energy, q2, k0, rapidity)};
    }

    Gluon Weight(double energy, double kt, double rapidity, double& u_hardness, double& u_eta) const override {
        const double k0 = kt * std::cosh(rapidity), q2 = std::max(0.0, energy * (energy - 2.0 * k0));
        u_hardness = std::log1p(q2 / (m_kt_min * m_kt_min)) / LnRange(energy);
        u_eta = 0.5 * (1.0 + rapidity / EtaMax(k0));
        return {kt, rapidity, kt < m_kt_min ? 0.0 : Density(energy, q2, k0, rapidity)};
    }

 private:
    /// Of Q^2 + k_T,min^2, up to the energy at which the gluon just reaches its cut.
    double LnRange(double energy) const {
        return std::log1p(energy * (energy - 2.0 * m_kt_min) / (m_kt_min * m_kt_min));
    }
    double EtaMax(double k0) const { return std::acosh(std::max(1.0, k0 / m_kt_min)); }
    double Density(double energy, double q2, double k0, double rapidity) const {
        const double dq2 = (q2 + m_kt_min * m_kt_min) * LnRange(energy), cosh = std::cosh(rapidity);
        return std::max(0.0, 0.25 * k0 / (energy * cosh * cosh) * dq2 * 2.0 * EtaMax(k0));
    }
};

}  // namespace

class Gluon_And_Pair : public PHASIC::Single_Channel {
 public:
    /// @param gluon, first, second positions of the outgoing legs
    Gluon_And_Pair(int n_in, int n_out, const ATOOLS::Flavour* flavours, int gluon, int first, int second,
                   std::unique_ptr<Gluon_Map> map)
        : Single_Channel(n_in, n_out, flavours),
          m_gluon(gluon),
          m_first(first),
          m_second(second),
          p_map(std::move(map)),
          m_vegas(n_variables, 100, p_map->Name()) {
        m_name = p_map->Name();
        m_rannum = n_variables;
        p_rans = new double[m_rannum];
        m_vegas.ConstChannel(phi);  // nothing depends on the azimuth of the whole event
    }

    void GeneratePoint(Vec4D* p, PHASIC::Cut_Data*, double* random) override {
        const double* u = m_vegas.GeneratePoint(random);
        std::copy(u, u + m_rannum, p_rans);
        const Vec4D total = p[0] + p[1];
        const auto gluon = p_map->Point(std::sqrt(total.Abs2()), u[hardness], u[eta]);
        const double azimuth = 2.0 * M_PI * u[phi];
        p[m_gluon] = gluon.kt * Vec4D(std::cosh(gluon.rapidity), std::cos(azimuth), std::sin(azimuth),
                                      std::sinh(gluon.rapidity));
        ATOOLS::Poincare(total).BoostBack(p[m_gluon]);

        const Vec4D pair = total - p[m_gluon];
        ATOOLS::Poincare rest_frame(pair);
        const Axes axes(p[0], p[1], rest_frame);
        const double cosine = 2.0 * u[cos_theta] - 1.0, sine = std::sqrt(std::max(0.0, 1.0 - cosine * cosine));
        const double star = 2.0 * M_PI * u[phi_star];
        const Vec3D direction = cosine * axes.z + (sine * std::cos(star)) * axes.x + (sine * std::sin(star)) * axes.y;
        const double half = 0.5 * std::sqrt(std::max(0.0, pair.Abs2()));
        p[m_first] = Vec4D(half, half * direction);
        rest_frame.BoostBack(p[m_first]);
        p[m_second] = pair - p[m_first];
    }

    void GenerateWeight(Vec4D* p, PHASIC::Cut_Data*) override {
        m_weight = 0.0;  // Sherpa's sign for a point that the channel does not generate
        const Vec4D total = p[0] + p[1];
        Vec4D gluon = p[m_gluon], photon = p[m_first];
        ATOOLS::Poincare(total).Boost(gluon);
        const double kt = gluon.PPerp();
        double* u = p_rans;
        const double density =
            p_map->Weight(std::sqrt(total.Abs2()), kt, std::asinh(gluon[3] / kt), u[hardness], u[eta]).density;
        if (!(density > 0.0)) return;
        ATOOLS::Poincare rest_frame(total - p[m_gluon]);
        const Axes axes(p[0], p[1], rest_frame);
        rest_frame.Boost(photon);
        const Vec3D direction = Vec3D(photon) / photon[0];
        u[cos_theta] = 0.5 * (1.0 + direction * axes.z);
        u[phi_star] = Angle(direction * axes.y, direction * axes.x);
        u[phi] = Angle(p[m_gluon][2], p[m_gluon][1]);
        for (int i = 0; i < n_variables; ++i) u[i] = std::min(std::max(u[i], 0.0), 1.0 - 1e-15);
        // dPhi_3 = density dphi/(2 pi)^3 dcos(theta*) dphi*/(32 pi^2), the angles over 2 pi, 2 and 2 pi
        m_weight = m_vegas.GenerateWeight(u) * density * (2.0 * M_PI) * (2.0 * 2.0 * M_PI) /
                   (std::pow(2.0 * M_PI, 3) * 32.0 * M_PI * M_PI);
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
    int m_gluon, m_first, m_second;
    std::unique_ptr<Gluon_Map> p_map;
    PHASIC::Vegas m_vegas;
};

class Channels : public PHASIC::Channel_Generator {
 public:
    explicit Channels(const PHASIC::Channel_Generator_Key& key) : Channel_Generator(key) {}

    int GenerateChannels() override {
        const auto& flavours = p_proc->Flavours();
        const int n_in = static_cast<int>(p_proc->NIn()), n_out = static_cast<int>(p_proc->NOut());
        int gluon = -1, n_gluons = 0;
        bool massless = true;
        for (int leg = n_in; leg < n_in + n_out; ++leg) {
            massless = massless && flavours[leg].Mass() == 0.0;
            if (!flavours[leg].IsGluon()) continue;
            gluon = leg;
            ++n_gluons;
        }
        if (n_in != 2 || n_out != 3 || n_gluons != 1 || !massless)
            Stop(
                "run card: Integrator PyAmp knows 2 -> 3 processes with massless legs and one outgoing gluon, "
                "found " +
                p_proc->Name() + "; take Integrator: Rambo");
        std::vector<int> outgoing;
        for (int leg = n_in; leg < n_in + n_out; ++leg)
            outgoing.push_back(static_cast<int>(static_cast<long>(flavours[leg])));
        auto& own = p_proc->Info().m_selectors;
        const auto cuts =
            own.GetItemsCount() ? GuaranteedCuts::Of(own, outgoing) : GuaranteedCuts::FromCard(outgoing);
        const double kt_min = cuts.pt_min.at(kf_gluon).front();
        if (!(kt_min > 0.0))
            Stop(
                "run card: Integrator PyAmp found no lower cut on p_T of the gluon, below which it would generate "
                "nothing; add [PT, 21, minimum, E_CMS] to SELECTORS, or take Integrator: Rambo");
        const int first = gluon == 2 ? 3 : 2, second = gluon == 4 ? 3 : 4;
        const auto add = [&](std::unique_ptr<Gluon_Map> map) {
            p_mc->Add(new Gluon_And_Pair(n_in, n_out, &flavours.front(), gluon, first, second, std::move(map)));
        };
        add(std::make_unique<Radiation>(kt_min));
        add(std::make_unique<Recoil>(kt_min));
        return 0;
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
    stream << "two massless particles and a gluon radiated off the beams";
}
