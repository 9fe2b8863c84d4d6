// The interface of every source of truth |M|^2.
#pragma once

#include <cmath>
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

namespace pyamp {

struct Process {
    std::string name;
    std::vector<int> pdg_ids;  ///< incoming legs first
    int n_incoming = 2;

    int n_legs() const { return static_cast<int>(pdg_ids.size()); }
    int n_pairs() const { return n_legs() * (n_legs() - 1) / 2; }
};

/// How |M|^2 scales: |M|^2 = alpha_s^alpha_s_power * alpha^alpha_power * (stripped amplitude).
struct CouplingOrders {
    int alpha_s_power = 0;
    int alpha_power = 0;
};

/// Product of 1/n! over the kinds of n identical outgoing particles; no amplitude here has it.
double identical_particle_factor(const Process& process);

/// Whether a value can be a coupling: a finite positive number.
inline bool is_coupling(double value) { return value > 0.0 && std::isfinite(value); }

/// coupling^power by repeated squaring: std::pow costs as much as a small network.
inline double coupling_power(double coupling, int power) {
    double result = 1.0;
    for (int left = power < 0 ? -power : power; left > 0; left /= 2, coupling *= coupling)
        if (left % 2 == 1) result *= coupling;
    return power < 0 ? 1.0 / result : result;
}

class AmplitudeProvider {
 public:
    virtual ~AmplitudeProvider() = default;

    virtual const Process& process() const = 0;
    virtual CouplingOrders coupling_orders() const = 0;
    /// Number of initial helicity and colour states over which the amplitude is averaged (256 for g g).
    virtual double spin_colour_average() const = 0;
    /// Name and version, for provenance.
    virtual std::string version() const = 0;

    /// |M|^2 with the couplings stripped, summed over final and averaged over initial helicities and colours, without
    /// identical-particle factors, in GeV^(8 - 2 n_legs).
    ///
    /// @param momenta   (n, n_legs, 4) contiguous, [E, px, py, pz] in GeV, incoming energies positive, any frame
    /// @param amplitude (n); NaN where the evaluation failed
    /// @param accuracy  (n) or nullptr: relative numerical accuracy, estimated from a rotated point, and from the
    ///                  cancellation of poles where there are any
    virtual void evaluate(const double* momenta, std::size_t n, double* amplitude, double* accuracy) const = 0;

    /// The contributions of the helicity configurations, without couplings, constant factors and average.
    ///
    /// @param out (n, 2^n_legs); bit i of the index: leg i has negative helicity, all legs outgoing; NaN where the
    ///            evaluation failed
    virtual void helicity_amplitudes_squared(const double* momenta, std::size_t n, double* out) const = 0;
};

/// A built-in amplitude by name; throws pyamp::Error that lists the known names.
std::unique_ptr<AmplitudeProvider> make_builtin_amplitude(const std::string& name);
std::vector<std::string> builtin_amplitudes();

}  // namespace pyamp
