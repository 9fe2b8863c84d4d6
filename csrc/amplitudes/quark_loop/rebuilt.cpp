// Momentum conservation in double-double.
#include "amplitudes/quark_loop/rebuilt.h"

namespace pyamp::quark_loop {

namespace {

constexpr int n_incoming = 2;

DoubleDouble length(const Momentum<DoubleDouble>& p) { return sqrt(p.x * p.x + p.y * p.y + p.z * p.z); }

}  // namespace

void rebuilt(const pyamp::Momentum* point, int n_legs, int dependent, double shift, Momentum<DoubleDouble>* legs) {
    for (int i = 0; i < n_legs; ++i) legs[i] = {0, point[i].x, point[i].y, point[i].z};
    const int moved = dependent == n_legs - 1 ? n_legs - 2 : n_legs - 1;
    const double distance = shift * point[moved].E;
    legs[moved].x = legs[moved].x + DoubleDouble(0.6 * distance);
    legs[moved].y = legs[moved].y + DoubleDouble(0.5 * distance);
    legs[moved].z = legs[moved].z + DoubleDouble(0.4 * distance);
    Momentum<DoubleDouble>& last = legs[dependent];
    last = {};
    DoubleDouble energy;
    for (int i = n_incoming; i < n_legs; ++i) {
        if (i == dependent) continue;
        last.x = last.x - legs[i].x;
        last.y = last.y - legs[i].y;
        last.z = last.z - legs[i].z;
        legs[i].E = length(legs[i]);
        energy = energy + legs[i].E;
    }
    last.E = length(last);
    const DoubleDouble beam_energy = DoubleDouble(0.5) * (energy + last.E);
    const Momentum<DoubleDouble> axis{0, legs[0].x - legs[1].x, legs[0].y - legs[1].y, legs[0].z - legs[1].z};
    const DoubleDouble scale = beam_energy / length(axis);
    legs[0] = {beam_energy, scale * axis.x, scale * axis.y, scale * axis.z};
    legs[1] = {beam_energy, -legs[0].x, -legs[0].y, -legs[0].z};
}

}  // namespace pyamp::quark_loop
