// A one-loop provider of the Binoth Les Houches Accord as a source of truth.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "amplitudes/amplitude_provider.h"
#include "amplitudes/blha/options.h"
#include "amplitudes/blha/order.h"
#include "amplitudes/blha/session.h"

namespace pyamp::blha {

class Provider final : public AmplitudeProvider {
 public:
    /// Orders, starts the provider, checks its contract, and compares reference points and couplings.
    explicit Provider(const Options& options);
    ~Provider() override;

    const Process& process() const override { return process_; }
    CouplingOrders coupling_orders() const override { return orders_; }
    double spin_colour_average() const override { return average_; }
    std::string version() const override { return version_; }
    void evaluate(const double* momenta, std::size_t n, double* amplitude, double* accuracy) const override;
    void helicity_amplitudes_squared(const double* momenta, std::size_t n, double* out) const override;

 private:
    struct Value {
        double amplitude, accuracy;
    };

    void start(const Agreement& agreement, const Process& ordered);
    void set_couplings(double alpha_s, double alpha);
    /// |M|^2 in our conventions, couplings included; accuracy NaN where the provider gives none.
    std::vector<Value> values(const double* momenta, std::size_t n) const;
    std::vector<PointResult> results(const double* momenta, std::size_t n) const;
    double in_our_conventions(double value) const;
    /// The point rotated, for providers without an accuracy and points with a bad one.
    std::vector<Value> rotated_values(const std::vector<double>& momenta) const;
    void check_couplings(const std::vector<double>& momenta);
    void check_reference(const std::vector<double>& momenta) const;
    std::string diagnosis(const PointResult& result, double expected) const;

    Options options_;
    Process process_;        ///< in our order of legs
    std::vector<int> legs_;  ///< leg of the provider → our leg
    CouplingOrders orders_;
    double average_;
    int id_ = 0;
    double alpha_s_ = 0.0, alpha_ = 0.0;  ///< as set in the provider
    std::string folder_;                  ///< of temporary files
    std::string version_;
    std::unique_ptr<Session> session_;
    mutable std::mutex mutex_;
};

}  // namespace pyamp::blha
