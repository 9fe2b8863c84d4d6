// The front of a surrogate: its plan from the model, and points about which the kernel says nothing.
#include "surrogate/front_end.h"

#include <algorithm>

#include "kinematics/point_check.h"
#include "simd/instruction_set.h"

namespace pyamp {
namespace {

/// Position of a pair of legs in the plan, where it is added if it is new.
int pair_in(FrontPlan& plan, int i, int j) {
    if (i > j) std::swap(i, j);
    for (int k = 0; k < plan.n_pairs; ++k)
        if (plan.first[k] == i && plan.second[k] == j) return k;
    plan.first[plan.n_pairs] = i;
    plan.second[plan.n_pairs] = j;
    return plan.n_pairs++;
}

void add_factor(FrontPlan& plan, const SingularFactor& factor) {
    for (const auto& [i, j, power] : factor.terms) {
        const int pair = pair_in(plan, i, j);
        auto* const end = plan.term_pair + plan.n_terms;
        const auto known = std::find(plan.term_pair, end, pair) - plan.term_pair;
        if (known == plan.n_terms) {
            plan.term_pair[plan.n_terms] = pair;
            plan.term_power[plan.n_terms++] = 0.0;
        }
        plan.term_power[known] += power;
    }
    plan.n_logarithms = plan.n_pairs;
}

void add(FrontPlan& plan, FrontEnd::Lists&, const ScaledMomenta& representation) {
    plan.kind = FrontPlan::Kind::momenta;
    plan.partonic = pair_in(plan, 0, 1);
    add_factor(plan, representation.factor);
    if (plan.n_logarithms == 1) plan.n_logarithms = 0;  // the kernel has s_01 sooner than the pairs
}

/// The pairs of every set, those that count with a minus last: the ones without the incoming leg, where there is one.
void add_sets(FrontPlan& plan, std::vector<int>& pairs_of_sets, const LogInvariants& representation) {
    for (const auto& legs : multiparticle::sets(plan.n_legs, representation.n_incoming)) {
        const bool has_incoming = legs.front() < representation.n_incoming;
        auto& set = plan.sets[plan.n_sets++];
        const auto add_pairs = [&](std::size_t from, std::size_t to) {
            for (std::size_t i = from; i < to; ++i)
                for (std::size_t j = i + 1; j < legs.size(); ++j)
                    pairs_of_sets.push_back(LogInvariants::feature_of(legs[i], legs[j], plan.n_legs));
            return static_cast<int>(pairs_of_sets.size());
        };
        set.begin = static_cast<int>(pairs_of_sets.size());
        set.minus = add_pairs(0, has_incoming ? 1 : legs.size());
        set.end = has_incoming ? add_pairs(1, legs.size()) : set.minus;
    }
    plan.pairs_of_sets = pairs_of_sets.data();
}

void add_antenna(FrontPlan& plan, const Antenna& antenna) {
    static_assert(FrontPlan::max_inner == Antenna::max_gluons);
    for (const int gluon : antenna.inner()) plan.antenna.inner[plan.antenna.n_inner++] = gluon;
    plan.antenna.first = antenna.first();
    plan.antenna.last = antenna.last();
}

void add(FrontPlan& plan, FrontEnd::Lists& lists, const LogInvariants& representation) {
    const bool is_plain = representation.ordering.empty() && !representation.linear && !representation.energy &&
                          !representation.multiparticle && representation.resonances.empty() &&
                          representation.dipoles.empty() && !representation.antenna && !representation.conjugation;
    plan.kind = is_plain ? FrontPlan::Kind::log_invariants : FrontPlan::Kind::ordered_invariants;
    for (int i = 0; i < plan.n_legs; ++i)
        for (int j = i == 0 ? 2 : i + 1; j < plan.n_legs; ++j) pair_in(plan, i, j);
    plan.partonic = pair_in(plan, 0, 1);
    add_factor(plan, representation.factor);
    for (int i = 0; i < plan.n_legs; ++i)
        for (int j = 0; j < plan.n_legs; ++j)
            if (i != j) plan.pair_of[i][j] = pair_in(plan, i, j);
    for (const auto& [legs, reference] : representation.ordering)
        lists.groups.push_back(
            {legs.data(), reference.data(), static_cast<int>(legs.size()), static_cast<int>(reference.size())});
    if (const auto& c = representation.conjugation)
        plan.conjugation = {c->legs.data(), c->conjugates.data(), c->reference.data(),
                            static_cast<int>(c->legs.size()), static_cast<int>(c->reference.size())};
    static_assert(FrontPlan::max_resonances == LogInvariants::max_resonances);
    constexpr int most_sets = 91;  // of eight legs, two of them incoming
    static_assert(FrontPlan::max_sets >= most_sets &&
                  FrontPlan::max_features >=
                      2 * (max_pairs - 1) + 1 + most_sets +
                          LogInvariants::Resonance::n_features * LogInvariants::max_resonances +
                          Dipole::n_features * LogInvariants::max_dipoles);
    plan.has_linear = representation.linear;
    plan.has_energy = representation.energy;
    if (representation.multiparticle) add_sets(plan, lists.pairs_of_sets, representation);
    if (representation.antenna) add_antenna(plan, *representation.antenna);
    plan.dipoles = representation.dipoles.data();
    plan.n_dipoles = static_cast<int>(representation.dipoles.size());
    for (const auto& [legs, mass, width] : representation.resonances)
        plan.resonances[plan.n_resonances++] = {legs.data(), static_cast<int>(legs.size()), mass * mass,
                                                mass * width};
}

FrontPlan make_plan(const ModelFile& model, FrontEnd::Lists& lists) {
    FrontPlan plan{};
    const int n_legs = model.process.n_legs();
    plan.bounds = kinematics::make_sure_bounds(model.domain.lowest_sqrt_s_hat(), model.domain.highest_sqrt_s_hat(),
                                               model.domain.cuts, n_legs);
    plan.n_legs = n_legs;
    for (int leg = 0; leg < FrontPlan::max_legs; ++leg) plan.leg_offset[leg] = 4 * std::min(leg, n_legs - 1);
    plan.n_features = n_features(model.representation);
    std::visit(
        [&](const auto& representation) {
            add(plan, lists, representation);
            for (std::size_t i = 0; i < representation.mean.size(); ++i) {
                plan.scale[i] = 1.0 / representation.std[i];
                plan.shift[i] = -representation.mean[i] / representation.std[i];
            }
        },
        model.representation);
    for (int i = 0; i < n_legs; ++i)
        for (int j = i + 1; j < n_legs; ++j)
            if (const double separation = plan.bounds.separation[i][j]; separation > 0.0)
                plan.separation[pair_in(plan, i, j)] = separation;
    for (int k = plan.n_pairs; k < FrontPlan::max_pairs; ++k) plan.second[k] = 1;  // any pair: (0,1)
    plan.groups = lists.groups.data();
    plan.n_groups = static_cast<int>(lists.groups.size());
    return plan;
}

}  // namespace

FrontEnd::FrontEnd(const ModelFile& model)
    : model_(model), plan_(make_plan(model, lists_)), kernel_(PYAMP_FOR_PROCESSOR(pyamp, front_kernel)(plan_.kind)) {}

bool FrontEnd::evaluate(const double* momenta, const MomentaLayout& layout, std::size_t n, double* features,
                        double* log_factor, std::int32_t* flags) const {
    if (kernel_(plan_, momenta, layout, n, features, log_factor, flags)) [[unlikely]]
        return decide(momenta, layout, n, features, log_factor, flags);
    return true;
}

void FrontEnd::evaluate_features(const double* momenta, std::size_t n, double* features, double* log_factor) const {
    const auto layout = MomentaLayout::rows(plan_.n_legs);
    const auto size = static_cast<std::size_t>(plan_.n_features);
    for (std::size_t k = 0; k < n; ++k) {
        double of_point[FrontPlan::max_features + features_excess];
        std::int32_t ignored;
        kernel_(plan_, layout.at(momenta, k), layout, 1, of_point, log_factor + k, &ignored);
        std::copy_n(of_point, size, features + k * size);
    }
}

std::int32_t FrontEnd::flags_of(const double* momenta, const MomentaLayout& layout, std::size_t k) const {
    double point[4 * FrontPlan::max_legs];
    layout.copy_point(momenta, k, plan_.n_legs, point);
    const int n_incoming = model_.process.n_incoming;
    const std::int32_t flags = check_point(point, plan_.n_legs, n_incoming);
    if (flags == 0 && !model_.domain.contains(point, plan_.n_legs, n_incoming)) return flag_outside_domain;
    return flags;
}

bool FrontEnd::decide(const double* momenta, const MomentaLayout& layout, std::size_t n, double* features,
                      double* log_factor, std::int32_t* flags) const {
    bool no_flags = true;
    for (std::size_t k = 0; k < n; ++k) {
        if (flags[k] == 0) continue;
        flags[k] = flags_of(momenta, layout, k);
        if (flags[k] == 0) continue;
        no_flags = false;
        evaluate_features(model_.self_test.momenta.data(), 1,
                          features + k * static_cast<std::size_t>(plan_.n_features), log_factor + k);
    }
    return no_flags;
}

}  // namespace pyamp
