// What happens to a point before the network: checks, training domain, features, singular factor.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "model_file/model_file.h"
#include "surrogate/front_plan.h"

namespace pyamp {

class FrontEnd {
 public:
    /// To which the plan points.
    struct Lists {
        std::vector<FrontPlan::Group> groups;
        std::vector<int> pairs_of_sets;
    };

    /// @pre the model outlives it and stays where it is
    explicit FrontEnd(const ModelFile& model);
    FrontEnd(const FrontEnd&) = delete;
    FrontEnd& operator=(const FrontEnd&) = delete;

    int n_features() const { return plan_.n_features; }

    /// Standardised features (n, n_features) and ln of the singular factor (n) of n points.
    /// flags (n) say what is wrong with a point; one of the self-test then stands in for it, so that the network sees
    /// finite features. A sound point gives the same bits whatever the others are.
    /// @param features with room for features_excess more
    /// @returns whether no point has flags
    bool evaluate(const double* momenta, const MomentaLayout& layout, std::size_t n, double* features,
                  double* log_factor, std::int32_t* flags) const;

    /// The same of momenta (n, n_legs, 4) without checks and flags, and without that room.
    void evaluate_features(const double* momenta, std::size_t n, double* features, double* log_factor) const;

 private:
    std::int32_t flags_of(const double* momenta, const MomentaLayout& layout, std::size_t k) const;
    bool decide(const double* momenta, const MomentaLayout& layout, std::size_t n, double* features,
                double* log_factor, std::int32_t* flags) const;

    const ModelFile& model_;
    Lists lists_;
    FrontPlan plan_;
    FrontKernel kernel_;
};

}  // namespace pyamp
