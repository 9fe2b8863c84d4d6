// From the outputs of a network to the amplitude and its uncertainties; compiled once for each instruction set, see
// CMakeLists.txt. Rows (points, or the members of one point) lie in the lanes.
//
// Sums over members are those of eight columns, member m in column m % 8, added pairwise, whether the members lie in
// lanes or in rows.
#include "surrogate/member_moments.h"

namespace pyamp::PYAMP_ISA {
namespace {

constexpr std::size_t L = lanes<double>;
constexpr std::size_t columns = 8;

#if PYAMP_SIMD_BYTES == 64
#define EVEN_LANES 0, 2, 4, 6, 8, 10, 12, 14
#define ODD_LANES 1, 3, 5, 7, 9, 11, 13, 15
#elif PYAMP_SIMD_BYTES == 32
#define EVEN_LANES 0, 2, 4, 6
#define ODD_LANES 1, 3, 5, 7
#else
#define EVEN_LANES 0, 2
#define ODD_LANES 1, 3
#endif

/// Output j of rows first, first + 1, ... of (n, n_outputs); the last row again beyond it.
struct OutputOfRows {
    const double* outputs;
    std::size_t n_outputs, first, n;

    [[gnu::always_inline]] Real operator()(std::size_t j) const {
        if (n == 1) return broadcast(outputs[j]);
        const double* const from = outputs + first * n_outputs + j;
        const std::size_t left = n - first;
        Real result;
        if (left >= L && n_outputs == 2) {
            const Real low = load(from - j), high = load(from - j + L);
            result = j == 0 ? __builtin_shufflevector(low, high, EVEN_LANES)
                            : __builtin_shufflevector(low, high, ODD_LANES);
        } else if (left >= L) {
#pragma GCC unroll 8
            for (std::size_t l = 0; l < L; ++l) result[l] = from[l * n_outputs];
        } else {
#pragma GCC unroll 8
            for (std::size_t l = 0; l < L; ++l) result[l] = from[(l < left ? l : left - 1) * n_outputs];
        }
        return result;
    }
};

/// Numbers first, first + 1, ... of n; the last one again beyond it.
[[gnu::always_inline]] inline Real load_rows(const double* from, std::size_t first, std::size_t n) {
    if (n == 1) return broadcast(from[0]);
    if (first + L <= n) return load(from + first);
    return OutputOfRows{from, 1, first, n}(0);
}

[[gnu::always_inline]] inline void store_rows(double* to, std::size_t first, std::size_t n, const Real& value) {
    if (n == 1) {
        to[0] = value[0];
    } else if (first + L <= n) {
        store(to + first, value);
    } else {
        for (std::size_t l = 0; first + l < n; ++l) to[first + l] = value[l];
    }
}

/// Square roots of n rows; the root of one number comes sooner, and is the same.
[[gnu::always_inline]] inline Real root_of_rows(std::size_t n, const Real& x) {
    return n == 1 ? broadcast(__builtin_sqrt(x[0])) : square_root(x);
}

/// Zero beyond the last row.
[[gnu::always_inline]] inline Real known(const Real& value, std::size_t first, std::size_t n) {
    if (first + L <= n) return value;
    Real result;
    for (std::size_t l = 0; l < L; ++l) result[l] = first + l < n ? value[l] : 0.0;
    return result;
}

[[gnu::always_inline]] inline Real tree(const Real (&c)[columns]) {
    return ((c[0] + c[4]) + (c[2] + c[6])) + ((c[1] + c[5]) + (c[3] + c[7]));
}

/// Sum over members, each in a row.
template <typename Row>
[[gnu::always_inline]] inline Real sum_of_rows(std::size_t members, const Row& row) {
    Real sums[columns] = {};
    for (std::size_t m = 0; m < members; m += columns)
        for (std::size_t c = 0; c < columns && m + c < members; ++c) sums[c] += row(m + c);
    return tree(sums);
}

/// Sum over members, which lie in lanes and are zero beyond the last.
template <typename Lanes>
[[gnu::always_inline]] inline double sum_of_lanes(std::size_t members, const Lanes& of_lanes) {
    Real sums[columns / L] = {};
    for (std::size_t m = 0; m < members; m += columns)
#pragma GCC unroll 4
        for (std::size_t r = 0; r < columns / L; ++r) sums[r] += of_lanes(m + r * L);
    double c[columns];
#pragma GCC unroll 4
    for (std::size_t r = 0; r < columns / L; ++r) store(c + r * L, sums[r]);
    return ((c[0] + c[4]) + (c[2] + c[6])) + ((c[1] + c[5]) + (c[3] + c[7]));
}

/// Results of rows first, first + 1, ... in their unit; finite says which of them have been so far.
struct Results {
    const MomentsView& view;
    std::size_t n;
    double unit;
    Mask finite = Mask{} == Mask{};

    [[gnu::always_inline]] void store_all(std::size_t first, const Real& amplitude, const Real& sigma_syst,
                                          const Real& sigma_stat) {
        constexpr double infinity = __builtin_inf();
        finite &= (absolute<double>(amplitude) < infinity) & (sigma_syst < infinity) & (sigma_stat < infinity);
        store_rows(view.amplitude, first, n, amplitude * unit);
        store_rows(view.sigma_syst, first, n, sigma_syst * unit);
        store_rows(view.sigma_stat, first, n, sigma_stat * unit);
    }
    [[gnu::always_inline]] bool all_finite() const { return all(finite); }
};

/// Whether the likelihood itself calls a part of its width statistical.
constexpr bool has_statistical(MomentsPlan::Likelihood likelihood) {
    return likelihood == MomentsPlan::Likelihood::evidential;
}

/// What the members give, in the caller's scratch.
struct OfMembers {
    double *amplitude, *variance, *statistical_variance;
};

/// What the sigma network says, or `of_members()`.
template <MomentsPlan::Target type, typename F>
[[gnu::always_inline]] inline Real sigma_syst(const TargetOfRows<type>& target, const NetworkOutputs& network,
                                              std::size_t first, const Real& amplitude, const F& of_members) {
    if (!network.log_sigma) return of_members();
    return target.sigma(amplitude, target.spread(sigma_from_log(load_rows(network.log_sigma, first, network.n))));
}

template <MomentsPlan::Likelihood likelihood, MomentsPlan::Target type>
inline bool one_member(const MomentsPlan& plan, const NetworkOutputs& network, const MomentsView& result) {
    const std::size_t n = network.n;
    Results results{result, n, network.unit};
    for (std::size_t first = 0; first < n; first += L) {
        const TargetOfRows<type> target(plan, load_rows(network.log_factor, first, n));
        const OutputOfRows output{network.outputs, plan.n_outputs, first, n};
        const Moments moments = member_moments<likelihood>(plan, target, output);
        const auto of_member = [&] __attribute__((always_inline)) { return moments.sigma; };
        results.store_all(first, moments.amplitude, sigma_syst(target, network, first, moments.amplitude, of_member),
                          has_statistical(likelihood) ? root_of_rows(n, moments.statistical_variance) : Real{});
    }
    return results.all_finite();
}

/// One point, members in lanes.
template <MomentsPlan::Likelihood likelihood, MomentsPlan::Target type>
inline bool one_point(const MomentsPlan& plan, const NetworkOutputs& network, const OfMembers& scratch,
                      const MomentsView& result) {
    const std::size_t members = network.members;
    const TargetOfRows<type> target(plan, broadcast(network.log_factor[0]));
    for (std::size_t m = 0; m < members; m += L) {
        const Moments moments =
            member_moments<likelihood>(plan, target, OutputOfRows{network.outputs, plan.n_outputs, m, members});
        store(scratch.amplitude + m, known(moments.amplitude, m, members));
        store(scratch.variance + m, known(moments.sigma * moments.sigma, m, members));
        if constexpr (has_statistical(likelihood))
            store(scratch.statistical_variance + m, known(moments.statistical_variance, m, members));
    }
    for (std::size_t m = (members + L - 1) / L * L; m % columns != 0; m += L) {
        store(scratch.amplitude + m, Real{});
        store(scratch.variance + m, Real{});
        store(scratch.statistical_variance + m, Real{});
    }
    const double share = 1.0 / static_cast<double>(members);
    const auto sum_of = [&](const double* numbers) __attribute__((always_inline)) {
        return sum_of_lanes(members, [&](std::size_t m) __attribute__((always_inline)) { return load(numbers + m); });
    };
    const double amplitude = sum_of(scratch.amplitude) * share;
    const double variance = sum_of(scratch.variance) * share;
    double spread = sum_of_lanes(members, [&](std::size_t m) __attribute__((always_inline)) {
        const Real offset = load(scratch.amplitude + m) - amplitude;
        return known(offset * offset, m, members);
    });
    const auto of_members = [&] __attribute__((always_inline)) { return broadcast(__builtin_sqrt(variance)); };
    const Real syst = sigma_syst(target, network, 0, broadcast(amplitude), of_members);
    if constexpr (has_statistical(likelihood)) spread += sum_of(scratch.statistical_variance);
    Results results{result, 1, network.unit};
    results.store_all(0, broadcast(amplitude), syst, broadcast(__builtin_sqrt(spread * share)));
    return results.all_finite();
}

/// Points in lanes.
template <MomentsPlan::Likelihood likelihood, MomentsPlan::Target type>
inline bool many_points(const MomentsPlan& plan, const NetworkOutputs& network, const OfMembers& scratch,
                        const MomentsView& result) {
    const std::size_t members = network.members, n = network.n;
    const double share = 1.0 / static_cast<double>(members);
    Results results{result, n, network.unit};
    for (std::size_t first = 0; first < n; first += L) {
        const TargetOfRows<type> target(plan, load_rows(network.log_factor, first, n));
        for (std::size_t m = 0; m < members; ++m) {
            const OutputOfRows output{network.outputs + m * n * plan.n_outputs, plan.n_outputs, first, n};
            const Moments moments = member_moments<likelihood>(plan, target, output);
            store(scratch.amplitude + m * L, moments.amplitude);
            store(scratch.variance + m * L, moments.sigma * moments.sigma);
            if constexpr (has_statistical(likelihood))
                store(scratch.statistical_variance + m * L, moments.statistical_variance);
        }
        const auto sum_of = [&](const double* numbers) __attribute__((always_inline)) {
            return sum_of_rows(members,
                               [&](std::size_t m) __attribute__((always_inline)) { return load(numbers + m * L); });
        };
        const Real amplitude = sum_of(scratch.amplitude) * share;
        const Real variance = sum_of(scratch.variance) * share;
        Real spread = sum_of_rows(members, [&](std::size_t m) __attribute__((always_inline)) {
            const Real offset = load(scratch.amplitude + m * L) - amplitude;
            return offset * offset;
        });
        if constexpr (has_statistical(likelihood)) spread += sum_of(scratch.statistical_variance);
        const auto of_members = [&] __attribute__((always_inline)) { return square_root(variance); };
        results.store_all(first, amplitude, sigma_syst(target, network, first, amplitude, of_members),
                          square_root(spread * share));
    }
    return results.all_finite();
}

template <MomentsPlan::Likelihood likelihood, MomentsPlan::Target type>
bool evaluate(const MomentsPlan& plan, const NetworkOutputs& network, double* scratch, const MomentsView& result) {
    if (network.members == 1) return one_member<likelihood, type>(plan, network, result);
    const std::size_t size = (network.members + columns - 1) / columns * columns * (network.n == 1 ? 1 : L);
    const OfMembers of_members = {scratch, scratch + size, scratch + 2 * size};
    if (network.n == 1) return one_point<likelihood, type>(plan, network, of_members, result);
    return many_points<likelihood, type>(plan, network, of_members, result);
}

template <MomentsPlan::Likelihood likelihood>
MomentsKernel for_target(MomentsPlan::Target target) {
    switch (target) {
        case MomentsPlan::Target::log:
            return evaluate<likelihood, MomentsPlan::Target::log>;
        case MomentsPlan::Target::log1p:
            return evaluate<likelihood, MomentsPlan::Target::log1p>;
        default:
            return evaluate<likelihood, MomentsPlan::Target::linear>;
    }
}

}  // namespace

MomentsKernel moments_kernel(const MomentsPlan& plan) {
    using Likelihood = MomentsPlan::Likelihood;
    switch (plan.likelihood) {
        case Likelihood::gaussian:
            return for_target<Likelihood::gaussian>(plan.target);
        case Likelihood::mean_squared_error:
            return for_target<Likelihood::mean_squared_error>(plan.target);
        case Likelihood::mixture:
            return for_target<Likelihood::mixture>(plan.target);
        default:
            return for_target<Likelihood::evidential>(plan.target);
    }
}

}  // namespace pyamp::PYAMP_ISA
