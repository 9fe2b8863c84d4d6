#include "unweighting/pilot.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <vector>

#include "error.h"
#include "phase_space/philox.h"
#include "unweighting/second_stage.h"

namespace pyamp::unweighting {
namespace {

constexpr int n_resampled = 100;
constexpr int n_minima = 31;  // of p_min between its least value and 1
constexpr int n_halvings = 60;

void refuse_unless(bool good, const char* complaint) {
    if (!good) throw Error(complaint);
}

/// @param x descending
/// @param counts how often each occurs
double maximum_of_sorted(const std::vector<double>& x, const std::vector<int>& counts, double budget) {
    double target = 0.0;
    for (std::size_t i = 0; i < x.size(); ++i) target += budget * counts[i] * x[i];
    // What lies above a candidate m has the excess above - m * count, which grows as m falls.
    double above = 0.0, count = 0.0;
    for (std::size_t i = 0; i < x.size(); ++i) {
        if (count > 0.0 && above - x[i] * count > target) break;
        above += counts[i] * x[i];
        count += counts[i];
    }
    return (above - target) / count;
}

/// What one pair of kappa and p_min would do with the pilot.
struct Outcome {
    double mean_p, n_eff_over_n;
    bool negative;
};

class Pilot {
 public:
    Pilot(const double* x, const double* relative_sigma, std::size_t n) : x_(x), sigma_(relative_sigma), n_(n) {}

    Outcome outcome(double kappa, double p_min) const {
        double p_sum = 0.0, x_sum = 0.0, square_sum = 0.0;
        bool negative = false;
        for (std::size_t i = 0; i < n_; ++i) {
            const double p = roulette(sigma_[i], kappa, p_min, 0.0).probability;
            p_sum += p;
            x_sum += x_[i];
            // mean over both outcomes of the squared weight
            square_sum += x_[i] * x_[i] + (x_[i] - 1.0) * (x_[i] - 1.0) * (1.0 / p - 1.0);
            negative = negative || roulette_weight(x_[i], p) < 0.0;
        }
        const auto count = static_cast<double>(n_);
        return {p_sum / count, x_sum * x_sum / (count * square_sum), negative};
    }

    /// Smallest and largest uncertainty that is a positive number; infinity and zero without one.
    std::pair<double, double> range() const {
        double least = std::numeric_limits<double>::infinity(), largest = 0.0;
        for (std::size_t i = 0; i < n_; ++i)
            if (std::isfinite(sigma_[i]) && sigma_[i] > 0.0) {
                least = std::min(least, sigma_[i]);
                largest = std::max(largest, sigma_[i]);
            }
        return {least, largest};
    }

 private:
    const double *x_, *sigma_;
    std::size_t n_;
};

}  // namespace

Maximum budget_maximum(const double* x, std::size_t n, double budget, std::uint64_t seed) {
    refuse_unless(budget >= 0.0 && budget < 1.0, "overweight budget: expected a share from 0 to below 1");
    std::vector<double> sorted(x, x + n);
    refuse_unless(std::all_of(sorted.begin(), sorted.end(), [](double v) { return std::isfinite(v) && v >= 0.0; }),
                  "x: expected finite numbers that are not negative");
    std::sort(sorted.begin(), sorted.end(), std::greater<>());
    refuse_unless(n > 0 && sorted[0] > 0.0, "no x_max: truth/surrogate is 0 everywhere");

    PointRandom random(seed, RandomStream::bootstrap, 0);
    double sum = 0.0, square_sum = 0.0;
    int found = 0;
    for (int k = 0; k < n_resampled; ++k) {
        std::vector<int> counts(n, 0);
        for (std::size_t i = 0; i < n; ++i)
            ++counts[static_cast<std::size_t>(random.uniform() * static_cast<double>(n))];
        const double maximum = maximum_of_sorted(sorted, counts, budget);
        if (!std::isfinite(maximum) || maximum <= 0.0) continue;  // drew zeros alone
        ++found;
        sum += maximum;
        square_sum += maximum * maximum;
    }
    const double mean = sum / found;
    return {maximum_of_sorted(sorted, std::vector<int>(n, 1), budget),
            std::sqrt(std::max(0.0, square_sum / found - mean * mean))};
}

RouletteChoice choose_roulette(const double* x, const double* relative_sigma, std::size_t n, double target) {
    refuse_unless(n > 0, "roulette: the pilot has no event");
    refuse_unless(target > 0.0 && target <= 1.0, "roulette: N_eff/N asked for is not above 0 and at most 1");
    refuse_unless(std::all_of(x, x + n, [](double v) { return std::isfinite(v); }), "x: expected finite numbers");
    const Pilot pilot(x, relative_sigma, n);
    const auto [least, largest] = pilot.range();

    const auto choice = [&](double kappa, double p_min, bool reached) {
        const Outcome outcome = pilot.outcome(kappa, p_min);
        return RouletteChoice{kappa, p_min, outcome.mean_p, outcome.n_eff_over_n, reached};
    };
    const auto good = [&](double kappa, double p_min) {
        const Outcome outcome = pilot.outcome(kappa, p_min);
        return outcome.n_eff_over_n >= target && !outcome.negative;
    };
    // At p = 1 kappa has no effect; 1 stands for "any".
    RouletteChoice best = choice(1.0, 1.0, good(1.0, 1.0));
    if (!best.reached) return best;
    const double least_minimum = std::min(1.0, 10.0 / static_cast<double>(n));
    for (int k = 0; k + 1 < n_minima; ++k) {
        const double p_min = std::pow(least_minimum, 1.0 - static_cast<double>(k) / (n_minima - 1));
        // Between "p_min for all of the pilot" and "1 for all": what is asked for improves with kappa.
        double bad = largest > 0.0 ? p_min / largest : 1.0, enough = largest > 0.0 ? 1.0 / least : 1.0;
        if (!good(enough, p_min)) continue;  // events without an uncertainty stay at p_min
        if (good(bad, p_min)) {
            enough = bad;
        } else {
            for (int halving = 0; halving < n_halvings; ++halving) {
                const double middle = std::sqrt(bad * enough);
                (good(middle, p_min) ? enough : bad) = middle;
            }
        }
        const RouletteChoice found = choice(enough, p_min, true);
        if (found.mean_p < best.mean_p) best = found;
    }
    return best;
}

}  // namespace pyamp::unweighting
