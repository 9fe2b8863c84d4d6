// Colour-ordered tree amplitudes of a massless quark line that a current of two leptons and gluons are attached to.
//
// Off-shell currents by recursion (Berends and Giele, Nucl. Phys. B306 (1988) 759), those of gluons with the field
// strength in the place of the four-gluon vertex (arXiv:1510.08846, equation 2.15). Every current is computed once
// for all orderings, helicities and both leptons' helicities.
#pragma once

#include <vector>

#include "amplitudes/frame.h"
#include "amplitudes/quark_line/legs.h"
#include "amplitudes/quark_line/vectors.h"
#include "amplitudes/quark_line/words.h"

namespace pyamp::quark_line {

class Amplitude {
 public:
    explicit Amplitude(int n_gluons);

    const Words& words() const { return words_; }

    /// The amplitudes of a left-handed quark, without couplings and propagator of the boson: generators of colour
    /// normalised to tr(T^a T^b) = delta/2 and stripped, currents with vertices gamma^mu.
    ///
    /// @param point (n_legs) of to_centre_of_mass
    void evaluate(const Legs& legs, const Momentum* point, int n_incoming);

    /// Square of the leptons' momentum at the last point.
    double s_leptons() const { return s_leptons_; }

    /// Colour-summed squares at the last point; the parity-reflected ones, of a right-handed quark, are the same.
    ///
    /// @param colours colour_matrix() of the orderings
    /// @param sums    [lepton][helicities]; lepton 0: left-handed; bit i of the helicities: gluon i negative
    void colour_sums(const std::vector<double>& colours, double (*sums)[1 << max_gluons]) const;

 private:
    static constexpr int n_sets = 1 << max_gluons;

    void set_point(const Legs& legs, const Momentum* point, int n_incoming);
    void gluon_current(const Word& word);
    void reverse_gluon_current(const Word& word);
    void quark_currents(const Word& word);
    void contract_with_line(const Word& word);
    void join(int number);
    using Joined = PairOf[2][n_sets / 2];
    void store(int ordering, const Word& helicities, const Joined& joined, double sign);

    Words words_;

    // of the point
    double s_leptons_ = 0;
    Spinor<double> row_, column_;                                             // of the quark and the antiquark
    Direction gluons_[n_sets], with_quark_[n_sets], with_antiquark_[n_sets];  // momenta of sets of gluons
    double s_gluons_[n_sets], s_with_quark_[n_sets], s_with_antiquark_[n_sets];
    // of the two helicities of the leptons: their current; what it makes of the column and the row with all gluons
    // between; what a current of all gluons is contracted with
    Vector<double> leptons_[2];
    Spinor<double> column_leptons_[2], row_leptons_[2];
    Vector<double> line_[2];

    // by Word::first_pair
    std::vector<Vector<Pair>> field_;
    std::vector<Strength<Pair>> strength_;
    std::vector<Spinor<Pair>> rows_, columns_;     // quark and antiquark with gluons attached
    std::vector<PairOf> along_;                    // field . momentum of all gluons
    std::vector<PairOf> field_line_[2];            // field . line
    std::vector<Vector<Pair>> strength_line_[2];   // strength . line
    std::vector<Spinor<Pair>> rest_of_row_[2];     // what a row is multiplied with when these gluons come last
    std::vector<Spinor<Pair>> rest_of_column_[2];  // what a column is multiplied with when these gluons come first

    // [ordering][lepton][helicities]
    std::vector<double> re_, im_;
};

}  // namespace pyamp::quark_line
