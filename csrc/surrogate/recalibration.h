// Corrections of the uncertainties, found on points that the training did not see.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <variant>
#include <vector>

namespace pyamp {

/// Uncertainties times a number.
struct ScaleRecalibration {
    double scale;

    double factor(double) const { return scale; }
};

/// A monotonic map of the relative uncertainty, linear in logarithms between its points; beyond them the factor of
/// the last one.
struct IsotonicRecalibration {
    std::vector<double> sigma, calibrated;

    double factor(double relative_sigma) const {
        if (!(relative_sigma > sigma.front())) return calibrated.front() / sigma.front();
        if (relative_sigma >= sigma.back()) return calibrated.back() / sigma.back();
        const auto k =
            static_cast<std::size_t>(std::upper_bound(sigma.begin(), sigma.end(), relative_sigma) - sigma.begin());
        const double fraction = std::log(relative_sigma / sigma[k - 1]) / std::log(sigma[k] / sigma[k - 1]);
        return calibrated[k - 1] * std::pow(calibrated[k] / calibrated[k - 1], fraction) / relative_sigma;
    }
};

using Recalibration = std::variant<ScaleRecalibration, IsotonicRecalibration>;

/// By what both uncertainties are multiplied where their quadratic sum is relative_sigma times the amplitude.
inline double recalibration_factor(const Recalibration& recalibration, double relative_sigma) {
    return std::visit([&](const auto& r) { return r.factor(relative_sigma); }, recalibration);
}

}  // namespace pyamp
