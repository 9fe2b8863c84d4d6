// The entries "target", "likelihood", "posterior" and "recalibration".
#include <algorithm>
#include <functional>

#include "model_file/sections.h"

namespace pyamp {
namespace {

std::vector<double> positive_numbers(const HeaderReader& fields, const char* key, std::size_t size) {
    auto values = fields.numbers(key, size);
    if (*std::min_element(values.begin(), values.end()) <= 0.0) fields.refuse(key, "positive numbers");
    return values;
}

IsotonicRecalibration read_isotonic(const HeaderReader& header) {
    const auto fields = header.object("recalibration", {"type", "sigma", "calibrated"});
    if (!fields.raw("sigma").is_array() || fields.raw("sigma").size() < 2)
        fields.refuse("sigma", "two or more increasing positive numbers");
    const auto size = fields.raw("sigma").size();
    const IsotonicRecalibration result{positive_numbers(fields, "sigma", size),
                                       positive_numbers(fields, "calibrated", size)};
    if (std::adjacent_find(result.sigma.begin(), result.sigma.end(), std::greater_equal<>()) != result.sigma.end())
        fields.refuse("sigma", "increasing numbers");
    if (!std::is_sorted(result.calibrated.begin(), result.calibrated.end()))
        fields.refuse("calibrated", "numbers that do not decrease");
    return result;
}

}  // namespace

Target read_target(const HeaderReader& header) {
    const auto type = header.type_of("target", {"log", "log1p", "linear"});
    if (type == "log1p") {
        const auto fields = header.object("target", {"type", "scale", "mean", "std"});
        return {Target::Type::log1p, fields.number("mean"), fields.positive("std"), fields.positive("scale")};
    }
    const auto fields = header.object("target", {"type", "mean", "std"});
    return {type == "log" ? Target::Type::log : Target::Type::linear, fields.number("mean"), fields.positive("std")};
}

Likelihood read_likelihood(const HeaderReader& header) {
    const auto type =
        header.type_of("likelihood", {"heteroskedastic_gaussian", "mse", "gaussian_mixture", "evidential"});
    if (type == "mse") {
        const auto fields = header.object("likelihood", {"type", "sigma"});
        if (fields.positive("sigma") > 1.0) fields.refuse("sigma", "a positive number up to 1");
        return MeanSquaredError{fields.positive("sigma")};
    }
    if (type == "gaussian_mixture") {
        const auto fields = header.object("likelihood", {"type", "components"});
        if (fields.integer("components") < 1) fields.refuse("components", "a positive integer");
        return GaussianMixture{static_cast<std::size_t>(fields.integer("components"))};
    }
    header.object("likelihood", {"type"});
    if (type == "evidential") return Evidential{};
    return HeteroskedasticGaussian{};
}

Posterior read_posterior(const HeaderReader& header) {
    const auto type = header.type_of("posterior", {"deterministic", "ensemble", "repulsive_ensemble", "bayesian"});
    if (type == "deterministic") {
        header.object("posterior", {"type"});
        return {false, 1};
    }
    const auto fields = header.object("posterior", {"type", "members"});
    if (fields.integer("members") < 1) fields.refuse("members", "a positive number");
    return {true, fields.integer("members")};
}

std::optional<Recalibration> read_recalibration(const HeaderReader& header) {
    if (!header.has("recalibration")) return std::nullopt;
    if (header.type_of("recalibration", {"scale", "isotonic"}) == "isotonic") return read_isotonic(header);
    return ScaleRecalibration{header.object("recalibration", {"type", "scale"}).positive("scale")};
}

}  // namespace pyamp
