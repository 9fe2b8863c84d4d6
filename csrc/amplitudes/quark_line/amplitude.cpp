// Recursion for all currents of a point.
#include "amplitudes/quark_line/amplitude.h"

#include <algorithm>
#include <cmath>

namespace pyamp::quark_line {
namespace {

constexpr double half_root = 0.70710678118654752440;

/// u u^dagger = sigma.p, from the sum of energy and |z| that does not cancel.
Spinor<double> left_handed(const Momentum& p) {
    const double root = std::sqrt(p.E + std::abs(p.z));
    if (p.z >= 0) return {{{-p.x / root, p.y / root}, {root, 0}}};
    return {{{root, 0}, {-p.x / root, -p.y / root}}};
}

Spinor<double> conj(const Spinor<double>& u) { return {{conj(u.c[0]), conj(u.c[1])}}; }

double squared_product(const Spinor<double>& u, const Spinor<double>& v) {
    return norm(u.c[0] * v.c[1] - u.c[1] * v.c[0]);
}

Direction light_cone(const Momentum& p, double sign) {
    const double factor = sign * half_root;
    const double pt2 = p.x * p.x + p.y * p.y;
    const double large = p.E + std::abs(p.z);
    const double small = pt2 / large;
    return {factor * (p.z >= 0 ? large : small), factor * (p.z >= 0 ? small : large), {factor * p.x, factor * p.y}};
}

/// Transverse to the momentum and without energy; the basis of Duff et al., J. Comput. Graph. Tech. 6 (2017) 1.
Vector<Pair> polarisations(const Momentum& p) {
    const double length = std::sqrt(p.x * p.x + p.y * p.y + p.z * p.z);
    const double x = p.x / length, y = p.y / length, z = p.z / length;
    const double sign = std::copysign(1.0, z);
    const double a = -1 / (sign + z);
    const double b = x * y * a;
    const double e1[3] = {1 + sign * x * x * a, sign * b, -sign * x};
    const double e2[3] = {b, sign + y * y * a, -y};
    Vector<Pair> result;
    for (int negative : {0, 1}) {
        const double s = negative ? 0.5 : -0.5;
        set_lane(result.c[0], negative, {0.5 * e1[2], s * e2[2]});
        set_lane(result.c[1], negative, {-0.5 * e1[2], -s * e2[2]});
        set_lane(result.c[2], negative, {0.5 * e1[0] - s * e2[1], 0.5 * e1[1] + s * e2[0]});
        set_lane(result.c[3], negative, {0.5 * e1[0] + s * e2[1], s * e2[0] - 0.5 * e1[1]});
    }
    return result;
}

Vector<double> lane(const Vector<Pair>& a, int i) {
    return {{lane(a.c[0], i), lane(a.c[1], i), lane(a.c[2], i), lane(a.c[3], i)}};
}
Spinor<double> lane(const Spinor<Pair>& a, int i) { return {{lane(a.c[0], i), lane(a.c[1], i)}}; }
Strength<double> lane(const Strength<Pair>& a, int i) {
    return {{lane(a.c[0], i), lane(a.c[1], i), lane(a.c[2], i), lane(a.c[3], i), lane(a.c[4], i), lane(a.c[5], i)}};
}

template <class Components>
void add(Components& sum, const Components& a) {
    for (std::size_t i = 0; i < std::size(sum.c); ++i) sum.c[i] += a.c[i];
}

template <class Components>
Components scaled(double factor, Components a) {
    for (auto& c : a.c) c = factor * c;
    return a;
}

}  // namespace

Amplitude::Amplitude(int n_gluons) : words_(n_gluons) {
    const auto n = words_.n_pairs;
    field_.resize(n);
    strength_.resize(n);
    rows_.resize(n);
    columns_.resize(n);
    along_.resize(n);
    for (int l : {0, 1}) {
        field_line_[l].resize(n);
        strength_line_[l].resize(n);
        rest_of_row_[l].resize(n);
        rest_of_column_[l].resize(n);
    }
    re_.resize(words_.n_orderings << (n_gluons + 1));
    im_.resize(re_.size());
}

void Amplitude::set_point(const Legs& legs, const Momentum* point, int n_incoming) {
    const auto sign = [&](int leg) { return leg < n_incoming ? -1.0 : 1.0; };
    const auto spinor = [&](int leg) { return left_handed(point[leg]); };
    const auto invariant = [&](int i, int j) { return sign(i) * sign(j) * squared_product(spinor(i), spinor(j)); };
    const auto momentum = [&](int leg) { return light_cone(point[leg], sign(leg)); };

    gluons_[0] = {};
    with_quark_[0] = momentum(legs.quark);
    with_antiquark_[0] = momentum(legs.antiquark);
    s_gluons_[0] = s_with_quark_[0] = s_with_antiquark_[0] = 0;
    for (unsigned i = 0; i < legs.gluons.size(); ++i) {
        const int leg = legs.gluons[i];
        const Direction k = momentum(leg);
        const double s_quark = invariant(legs.quark, leg), s_antiquark = invariant(legs.antiquark, leg);
        double s_others[max_gluons]{};
        for (unsigned j = 0; j < i; ++j) s_others[j] = invariant(legs.gluons[j], leg);
        for (unsigned set = 0; set < 1u << i; ++set) {
            double s = 0;
            for (unsigned j = 0; j < i; ++j)
                if (set >> j & 1) s += s_others[j];
            const unsigned joined = set | 1u << i;
            gluons_[joined] = gluons_[set] + k;
            with_quark_[joined] = with_quark_[set] + k;
            with_antiquark_[joined] = with_antiquark_[set] + k;
            s_gluons_[joined] = s_gluons_[set] + s;
            s_with_quark_[joined] = s_with_quark_[set] + s + s_quark;
            s_with_antiquark_[joined] = s_with_antiquark_[set] + s + s_antiquark;
        }
        field_[words_.all[i + 1].first_pair] = polarisations(point[leg]);
    }

    row_ = conj(spinor(legs.quark));
    column_ = spinor(legs.antiquark);
    s_leptons_ = invariant(legs.lepton, legs.antilepton);
    const auto current = [&](int out, int in) {
        return scaled(2, sandwich(conj(spinor(out)), spinor(in)));  // sqrt(2), and that of the products with it
    };
    leptons_[0] = current(legs.lepton, legs.antilepton);
    leptons_[1] = current(legs.antilepton, legs.lepton);

    if (legs.gluons.empty()) return;
    // With a single gluon there is no propagator of all gluons.
    const unsigned all = (1u << legs.gluons.size()) - 1;
    const double propagator = legs.gluons.size() > 1 ? 1 / s_gluons_[all] : 1.0;
    for (int l : {0, 1}) {
        column_leptons_[l] = times(-2 / s_with_quark_[all], with_quark_[all], bar_times(leptons_[l], column_));
        row_leptons_[l] = times(2 / s_with_antiquark_[all], times_bar(row_, leptons_[l]), with_antiquark_[all]);
        line_[l] = sandwich(row_, column_leptons_[l]);
        line_[l] += sandwich(row_leptons_[l], column_);
        line_[l] = scaled(propagator, line_[l]);
    }
}

void Amplitude::gluon_current(const Word& word) {
    Vector<Pair>* field = &field_[word.first_pair];
    Strength<Pair>* strength = &strength_[word.first_pair];
    if (word.length() > 1) {
        std::fill_n(field, word.n_pairs(), Vector<Pair>{});
        std::fill_n(strength, word.n_pairs(), Strength<Pair>{});
    }
    for (int j = 1; j < word.length(); ++j) {
        const Word& left = words_.all[word.prefix[j]];
        const Word& right = words_.all[word.suffix[j]];
        const Direction& left_momentum = gluons_[left.set];
        const Direction& right_momentum = gluons_[right.set];
        const int n_right = right.n_pairs();
        for (int h = 0; h < 2 * left.n_pairs(); ++h) {
            const int at = left.first_pair + h / 2;
            const auto a = lane(field_[at], h % 2);
            const auto f = lane(strength_[at], h % 2);
            const Scalar a_along = dot(right_momentum, a);
            for (int p = 0; p < n_right; ++p) {
                const Vector<Pair>& b = field_[right.first_pair + p];
                const Strength<Pair>& g = strength_[right.first_pair + p];
                const PairOf b_along = dot(left_momentum, b);
                const auto f_b = contract(f, b);
                const auto g_a = contract(g, a);
                Vector<Pair>& sum = field[h * n_right + p];
                for (int m = 0; m < 4; ++m) sum.c[m] += a_along * b.c[m] - a.c[m] * b_along + f_b.c[m] - g_a.c[m];
                const auto a_b = wedge(a, b);
                Strength<Pair>& rest = strength[h * n_right + p];
                for (int m = 0; m < 6; ++m) rest.c[m] -= a_b.c[m];
            }
        }
    }
    const Direction& k = gluons_[word.set];
    const Vector<double> momentum{{{k.plus, 0}, {k.minus, 0}, k.transverse, conj(k.transverse)}};
    const double propagator = word.length() > 1 ? 1 / s_gluons_[word.set] : 1.0;
    for (int p = 0; p < word.n_pairs(); ++p) {
        if (word.length() > 1)
            field[p] = scaled(propagator, field[p]);
        else
            strength[p] = {};
        add(strength[p], wedge(momentum, field[p]));
    }
}

void Amplitude::reverse_gluon_current(const Word& word) {
    const Word& known = words_.all[word.reversed];
    const double sign = word.length() % 2 ? 1 : -1;
    const int n = word.length();
    for (int h = 0; h < 1 << n; ++h) {
        int reversed = 0;
        for (int i = 0; i < n; ++i) reversed |= (h >> i & 1) << (n - 1 - i);
        const int from = known.first_pair + reversed / 2;
        const int to = word.first_pair + h / 2;
        const auto copy = [&](const auto& source, auto& target) {
            for (std::size_t i = 0; i < std::size(source.c); ++i)
                set_lane(target.c[i], h % 2, sign * quark_line::lane(source.c[i], reversed % 2));
        };
        copy(field_[from], field_[to]);
        copy(strength_[from], strength_[to]);
    }
}

void Amplitude::quark_currents(const Word& word) {
    Spinor<Pair>* rows = &rows_[word.first_pair];
    Spinor<Pair>* columns = &columns_[word.first_pair];
    const Vector<Pair>* field = &field_[word.first_pair];
    for (int p = 0; p < word.n_pairs(); ++p) {
        rows[p] = times_bar(row_, field[p]);
        columns[p] = bar_times(field[p], column_);
    }
    for (int j = 1; j < word.length(); ++j) {
        const Word& left = words_.all[word.prefix[j]];
        const Word& right = words_.all[word.suffix[j]];
        const int n_right = right.n_pairs();
        for (int h = 0; h < 2 * left.n_pairs(); ++h) {
            const int at = left.first_pair + h / 2;
            const auto a = lane(field_[at], h % 2);
            const auto row = lane(rows_[at], h % 2);
            for (int p = 0; p < n_right; ++p) {
                const int with = right.first_pair + p;
                add(rows[h * n_right + p], times_bar(row, field_[with]));
                add(columns[h * n_right + p], bar_times(a, columns_[with]));
            }
        }
    }
    const Direction& k = with_quark_[word.set];
    const Direction& l = with_antiquark_[word.set];
    const double row_factor = -2 / s_with_quark_[word.set], column_factor = 2 / s_with_antiquark_[word.set];
    for (int p = 0; p < word.n_pairs(); ++p) {
        rows[p] = times(row_factor, rows[p], k);
        columns[p] = times(column_factor, l, columns[p]);
    }
}

void Amplitude::contract_with_line(const Word& word) {
    const Direction& total = gluons_[(1u << words_.n_gluons) - 1];
    for (int p = 0; p < word.n_pairs(); ++p) {
        const int at = word.first_pair + p;
        along_[at] = dot(total, field_[at]);
        for (int l : {0, 1}) {
            field_line_[l][at] = dot(field_[at], line_[l]);
            strength_line_[l][at] = contract(strength_[at], line_[l]);
            rest_of_row_[l][at] = bar_times(leptons_[l], columns_[at]);
            add(rest_of_row_[l][at], bar_times(field_[at], column_leptons_[l]));
            rest_of_column_[l][at] = times_bar(row_leptons_[l], field_[at]);
        }
    }
}

/// All ways to cut an ordering in two: the gluons meet in a current of all of them, or they do not.
void Amplitude::join(int number) {
    const Word& ordering = words_.all[number];
    Joined gluons = {};
    Joined quarks = {};
    for (int j = 1; j < ordering.length(); ++j) {
        const Word& left = words_.all[ordering.prefix[j]];
        const Word& right = words_.all[ordering.suffix[j]];
        const int n_right = right.n_pairs();
        for (int h = 0; h < 2 * left.n_pairs(); ++h) {
            const int at = left.first_pair + h / 2;
            const auto row = lane(rows_[at], h % 2);
            for (int l : {0, 1}) {
                const auto rest_of_column = lane(rest_of_column_[l][at], h % 2);
                for (int p = 0; p < n_right; ++p) {
                    const int with = right.first_pair + p;
                    quarks[l][h * n_right + p] +=
                        dot(row, rest_of_row_[l][with]) + dot(rest_of_column, columns_[with]);
                }
            }
            if (!ordering.is_canonical) continue;
            const auto a = lane(field_[at], h % 2);
            const Scalar a_along = quark_line::lane(along_[at], h % 2);
            for (int l : {0, 1}) {
                const Scalar a_line = quark_line::lane(field_line_[l][at], h % 2);
                const auto f_line = lane(strength_line_[l][at], h % 2);
                for (int p = 0; p < n_right; ++p) {
                    const int with = right.first_pair + p;
                    gluons[l][h * n_right + p] += a_along * field_line_[l][with] - a_line * along_[with] +
                                                  dot(a, strength_line_[l][with]) - dot(f_line, field_[with]);
                }
            }
        }
    }
    store(number, ordering, quarks, 1);
    if (!ordering.is_canonical) return;
    store(number, ordering, gluons, 1);
    store(ordering.reversed, ordering, gluons, ordering.length() % 2 ? 1 : -1);
}

/// @param helicities the word in whose order those of `joined` are numbered
void Amplitude::store(int ordering, const Word& helicities, const Joined& joined, double sign) {
    const int n_helicities = 1 << words_.n_gluons;
    for (int l : {0, 1}) {
        const int first = (2 * (ordering - words_.first_ordering) + l) * n_helicities;
        for (int h = 0; h < n_helicities; ++h) {
            const Scalar value = quark_line::lane(joined[l][h / 2], h % 2);
            const int at = first + helicities.helicities[h];
            re_[at] += sign * value.re;
            im_[at] += sign * value.im;
        }
    }
}

void Amplitude::evaluate(const Legs& legs, const Momentum* point, int n_incoming) {
    set_point(legs, point, n_incoming);
    std::fill(re_.begin(), re_.end(), 0.0);
    std::fill(im_.begin(), im_.end(), 0.0);
    const int n = words_.n_gluons;
    if (n == 0) {
        for (int l : {0, 1}) {
            const Scalar value = dot(row_, bar_times(leptons_[l], column_));
            re_[l] = value.re;
            im_[l] = value.im;
        }
        return;
    }
    if (n == 1) {
        for (int l : {0, 1}) {
            const PairOf value = dot(field_[0], line_[l]);
            for (int h : {0, 1}) {
                re_[2 * l + h] = value.re[h];
                im_[2 * l + h] = value.im[h];
            }
        }
        return;
    }
    for (int w = 1; w < words_.first_ordering; ++w) {
        const Word& word = words_.all[w];
        // Words of one length come together, a canonical one before its reversed one.
        if (word.is_canonical)
            gluon_current(word);
        else
            reverse_gluon_current(word);
        quark_currents(word);
        contract_with_line(word);
    }
    for (int w = words_.first_ordering; w < words_.first_ordering + words_.n_orderings; ++w) join(w);
}

void Amplitude::colour_sums(const std::vector<double>& colours, double (*sums)[1 << max_gluons]) const {
    const auto n = words_.n_orderings;
    const std::size_t n_helicities = std::size_t{1} << words_.n_gluons;
    const std::size_t n_rows = 2 * n_helicities;
    double total[2 * n_sets] = {};
    for (std::size_t s = 0; s < n; ++s) {
        double re[2 * n_sets], im[2 * n_sets];
        for (std::size_t h = 0; h < n_rows; ++h) re[h] = im[h] = 0;
        for (std::size_t t = s; t < n; ++t) {
            const double c = (t == s ? 1 : 2) * colours[s * n + t];
            const double* a = &re_[t * n_rows];
            const double* b = &im_[t * n_rows];
            for (std::size_t h = 0; h < n_rows; ++h) {
                re[h] += c * a[h];
                im[h] += c * b[h];
            }
        }
        for (std::size_t h = 0; h < n_rows; ++h)
            total[h] += re[h] * re_[s * n_rows + h] + im[h] * im_[s * n_rows + h];
    }
    for (std::size_t l = 0; l < 2; ++l) std::copy_n(total + l * n_helicities, n_helicities, sums[l]);
}

}  // namespace pyamp::quark_line
