// A linear layer of one network, or of several side by side: the only place that knows of their axis.
#pragma once

#include <ATen/ATen.h>

namespace pyamp {

struct Linear {
    /// (in, out) and (out), of several networks (networks, in, out) and (networks, 1, out)
    at::Tensor weight, bias;

    /// (rows, in) to (rows, out) or (networks, rows, out); several networks take (networks, rows, in) too.
    at::Tensor operator()(const at::Tensor& x) const {
        if (weight.dim() == 2) return at::addmm(bias, x, weight);
        return at::baddbmm(bias, x.dim() == 2 ? x.expand({weight.size(0), x.size(0), x.size(1)}) : x, weight);
    }
};

}  // namespace pyamp
