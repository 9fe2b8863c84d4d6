// One massless leg emitted from a system of known momentum: k_T to the beams, rapidity and azimuth from random
// numbers.
#include <algorithm>
#include <cmath>
#include <utility>

#include "emission.H"

namespace PyAmp {

System::System(const ATOOLS::Vec4D& momentum)
    : mass2(momentum.Abs2()),
      pt(momentum.PPerp()),
      // what two beams leave of a transverse momentum is rounding
      azimuth(pt > 1e-9 * momentum[0] ? std::atan2(momentum[2], momentum[1]) : 0.0),
      rapidity(std::atanh(momentum[3] / momentum[0])) {}

namespace {

/// The system seen at one azimuth.
struct Slice {
    Slice(const System& system, double phi)
        : transverse_energy(std::sqrt(system.mass2 + system.pt * system.pt)), pull(system.pt * std::cos(phi)) {}

    /// (Q^2 - M^2)/(2 k_T) at the distance deta, for the mass M that remains.
    double Ratio(double deta) const { return transverse_energy * std::cosh(deta) - pull; }
    /// The largest deta for a ratio; 0 where there is none.
    double EtaMax(double ratio) const { return std::acosh(std::max(1.0, (ratio + pull) / transverse_energy)); }

    double transverse_energy, pull;
};

bool Generated(double hardness, double eta) { return hardness >= 0.0 && hardness <= 1.0 && eta >= 0.0 && eta <= 1.0; }

class RadiationMap : public Emission {
 public:
    using Emission::Emission;

    Leg Point(const System& system, double phi, double hardness, double eta) const override {
        const Slice slice(system, phi);
        const double kt = m_kt_min * std::exp(hardness * LnRange(system, slice));
        return {kt, (2.0 * eta - 1.0) * EtaMax(system, slice, kt), Density(system, slice, kt)};
    }

    double Weight(const System& system, double phi, double kt, double deta, double& hardness,
                  double& eta) const override {
        const Slice slice(system, phi);
        hardness = std::log(kt / m_kt_min) / LnRange(system, slice);
        eta = 0.5 * (1.0 + deta / EtaMax(system, slice, kt));
        return Generated(hardness, eta) ? Density(system, slice, kt) : 0.0;
    }

 private:
    double Available(const System& system) const { return 0.5 * (system.mass2 - m_rest_mass2.min); }
    double LnRange(const System& system, const Slice& slice) const {
        return std::log(std::max(1.0, Available(system) / (slice.Ratio(0.0) * m_kt_min)));
    }
    double EtaMax(const System& system, const Slice& slice, double kt) const {
        return slice.EtaMax(Available(system) / kt);
    }
    double Density(const System& system, const Slice& slice, double kt) const {
        return 0.5 * kt * kt * LnRange(system, slice) * 2.0 * EtaMax(system, slice, kt);
    }
};

class RecoilMap : public Emission {
 public:
    RecoilMap(double kt_min, const Mass2Range& rest_mass2, std::unique_ptr<MassMap> mass)
        : Emission(kt_min, rest_mass2), m_mass(std::move(mass)) {}

    Leg Point(const System& system, double phi, double hardness, double eta) const override {
        const Slice slice(system, phi);
        const Mass2Range range = Range(system, slice);
        if (!(range.min < range.max)) return {0.0, 0.0, 0.0};
        const double mass2 = m_mass->Point(range, hardness);
        const double deta = (2.0 * eta - 1.0) * EtaMax(system, slice, mass2);
        const double kt = 0.5 * (system.mass2 - mass2) / slice.Ratio(deta);
        return {kt, deta, Density(system, slice, mass2, kt, deta, m_mass->Weight(range, mass2, hardness))};
    }

    double Weight(const System& system, double phi, double kt, double deta, double& hardness,
                  double& eta) const override {
        const Slice slice(system, phi);
        const Mass2Range range = Range(system, slice);
        const double mass2 = system.mass2 - 2.0 * kt * slice.Ratio(deta);
        if (!(range.min < range.max && range.min <= mass2 && mass2 <= range.max)) return 0.0;
        const double dmass2 = m_mass->Weight(range, mass2, hardness);
        eta = 0.5 * (1.0 + deta / EtaMax(system, slice, mass2));
        return Generated(hardness, eta) ? Density(system, slice, mass2, kt, deta, dmass2) : 0.0;
    }

 private:
    /// Up to the mass at which the leg just reaches its cut, or to a cut on the mass.
    Mass2Range Range(const System& system, const Slice& slice) const {
        return {m_rest_mass2.min, std::min(system.mass2 - 2.0 * m_kt_min * slice.Ratio(0.0), m_rest_mass2.max)};
    }
    double EtaMax(const System& system, const Slice& slice, double mass2) const {
        return slice.EtaMax(0.5 * (system.mass2 - mass2) / m_kt_min);
    }
    double Density(const System& system, const Slice& slice, double mass2, double kt, double deta,
                   double dmass2) const {
        return 0.25 * kt / slice.Ratio(deta) * dmass2 * 2.0 * EtaMax(system, slice, mass2);
    }

    std::unique_ptr<MassMap> m_mass;
};

}  // namespace

std::unique_ptr<Emission> Radiation(double kt_min, const Mass2Range& rest_mass2) {
    return std::make_unique<RadiationMap>(kt_min, rest_mass2);
}

std::unique_ptr<Emission> Recoil(double kt_min, const Mass2Range& rest_mass2, std::unique_ptr<MassMap> mass) {
    return std::make_unique<RecoilMap>(kt_min, rest_mass2, std::move(mass));
}

}  // namespace PyAmp
