// How the square of an invariant mass is spread between its limits.
#include <cmath>

#include "mass_map.H"

namespace PyAmp {
namespace {

class Logarithmic : public MassMap {
 public:
    explicit Logarithmic(double offset) : m_offset(offset) {}

    double Point(const Mass2Range& range, double variable) const override {
        return (range.min + m_offset) * std::exp(variable * Ln(range.max, range.min)) - m_offset;
    }
    double Weight(const Mass2Range& range, double mass2, double& variable) const override {
        const double all = Ln(range.max, range.min);
        variable = Ln(mass2, range.min) / all;
        return (mass2 + m_offset) * all;
    }

 private:
    double Ln(double mass2, double min) const { return std::log((mass2 + m_offset) / (min + m_offset)); }

    double m_offset;
};

class Resonant : public MassMap {
 public:
    Resonant(double mass, double width) : m_mass2(mass * mass), m_mass_width(mass * width) {}

    double Point(const Mass2Range& range, double variable) const override {
        const double first = Angle(range.min), all = Angle(range.max) - first;
        return m_mass2 + m_mass_width * std::tan(first + variable * all);
    }
    double Weight(const Mass2Range& range, double mass2, double& variable) const override {
        const double first = Angle(range.min), all = Angle(range.max) - first;
        variable = (Angle(mass2) - first) / all;
        return m_mass_width * all * (1.0 + std::pow(Distance(mass2), 2));
    }

 private:
    double Distance(double mass2) const { return (mass2 - m_mass2) / m_mass_width; }
    double Angle(double mass2) const { return std::atan(Distance(mass2)); }

    double m_mass2, m_mass_width;
};

}  // namespace

std::unique_ptr<MassMap> LogarithmicMass(double offset) { return std::make_unique<Logarithmic>(offset); }

std::unique_ptr<MassMap> ResonantMass(double mass, double width) { return std::make_unique<Resonant>(mass, width); }

}  // namespace PyAmp
