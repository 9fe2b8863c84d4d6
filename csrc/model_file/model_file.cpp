// From a safetensors container to a checked ModelFile.
#include "model_file/model_file.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "error.h"
#include "model_file/header_reader.h"
#include "model_file/safetensors.h"
#include "model_file/sections.h"
#include "model_file/sha256.h"

namespace pyamp {
namespace {

constexpr std::size_t self_test_points = 16;

const std::string& metadata(const Safetensors& file, const std::string& path, const std::string& key) {
    const auto found = file.metadata.find(key);
    if (found == file.metadata.end())
        throw Error(path + ": safetensors metadata lacks '" + key +
                    "'; a model file written by pyamp was expected, check the path");
    return found->second;
}

void check_format(const Safetensors& file, const std::string& path) {
    if (metadata(file, path, "format") != "pyamp")
        throw Error(path + ": safetensors of format '" + file.metadata.at("format") +
                    "', 'pyamp' expected; check the path");
    const auto& version = metadata(file, path, "format_version");
    const bool is_number = !version.empty() && version.size() < 6 &&
                           std::all_of(version.begin(), version.end(), [](char c) { return c >= '0' && c <= '9'; });
    if (!is_number || std::stoi(version) < 1)
        throw Error(path + ": format version '" + version + "', a positive integer expected; export the model again");
    if (std::stoi(version) > ModelFile::format_version)
        throw Error(path + ": format version " + version + " is newer than " +
                    std::to_string(ModelFile::format_version) + ", which this pyamp reads; update pyamp");
}

Process read_process(const HeaderReader& header) {
    const auto fields = header.object("process", {"name", "pdg_ids", "n_incoming"});
    Process process{fields.text("name"), fields.integers("pdg_ids"), fields.integer("n_incoming")};
    if (process.n_legs() < 4 || process.n_legs() > max_legs) fields.refuse("pdg_ids", "4 to 8 legs");
    if (process.n_incoming != 2) fields.refuse("n_incoming", "2");
    return process;
}

Couplings read_couplings(const HeaderReader& header) {
    const auto fields = header.object("couplings", {"alpha_s", "alpha", "alpha_s_power", "alpha_power"});
    return {fields.positive("alpha_s"),
            fields.positive("alpha"),
            {fields.integer("alpha_s_power"), fields.integer("alpha_power")}};
}

Domain read_domain(const HeaderReader& header, const Process& process) {
    const auto fields = header.object("domain", {"sqrt_s_hat", "cuts"});
    const auto range = fields.numbers("sqrt_s_hat", 2);
    if (!(range[0] > 0.0 && range[0] <= range[1])) fields.refuse("sqrt_s_hat", "0 < minimum <= maximum in GeV");
    return {range[0], range[1], Cuts(fields.raw("cuts"), process.pdg_ids, process.n_incoming)};
}

SelfTest read_self_test(const HeaderReader& header, const Process& process) {
    const auto fields = header.object("self_test", {"momenta", "amplitude", "sigma_syst", "sigma_stat"});
    return {fields.numbers("momenta", self_test_points * 4 * static_cast<std::size_t>(process.n_legs())),
            fields.numbers("amplitude", self_test_points), fields.numbers("sigma_syst", self_test_points),
            fields.numbers("sigma_stat", self_test_points)};
}

std::string shape_text(const Shape& shape) { return nlohmann::json(shape).dump(); }

/// The tensors are those of the network, no more and no fewer, of the stated dtype, and finite.
void check_tensors(const ModelFile& model) {
    auto expected = tensor_shapes(model.network);
    if (model.posterior.has_member_axis)
        for (auto& entry : expected) entry.second.insert(entry.second.begin(), model.posterior.members);
    if (model.sigma_network)
        expected.merge(linear_shapes(ModelFile::sigma_network_prefix, model.sigma_network->widths));
    for (const auto& [name, shape] : expected) {
        const auto found = model.tensors.find(name);
        if (found == model.tensors.end())
            throw Error(model.path + ": tensor '" + name + "' is missing, shape " + shape_text(shape) +
                        " expected; export the model again");
        if (found->second.shape != shape)
            throw Error(model.path + ": tensor '" + name + "' has shape " + shape_text(found->second.shape) + ", " +
                        shape_text(shape) + " expected; export the model again");
        if (found->second.dtype != model.dtype)
            throw Error(model.path + ": tensor '" + name + "' is " + name_of(found->second.dtype) + ", " +
                        name_of(model.dtype) + " expected; export the model again");
        const auto& values = found->second.values;
        if (!std::all_of(values.begin(), values.end(), [](double x) { return std::isfinite(x); }))
            throw Error(model.path + ": tensor '" + name +
                        "' holds NaN or infinity, finite weights expected; the training diverged, train again");
    }
    for (const auto& [name, tensor] : model.tensors)
        if (!expected.contains(name))
            throw Error(model.path + ": unknown tensor '" + name + "'; export the model again");
}

}  // namespace

Dtype dtype_from_name(const std::string& name, const std::string& where) {
    if (name == "float32") return Dtype::float32;
    if (name == "float64") return Dtype::float64;
    throw Error(where + ": dtype '" + name + "', float32 or float64 expected");
}

const char* name_of(Dtype dtype) { return dtype == Dtype::float32 ? "float32" : "float64"; }

double Couplings::factor(double alpha_s_value, double alpha_value) const {
    return coupling_power(alpha_s_value, orders.alpha_s_power) * coupling_power(alpha_value, orders.alpha_power);
}

bool Domain::contains(const double* momenta, int n_legs, int n_incoming) const {
    double total[4] = {};
    for (int leg = 0; leg < n_incoming && leg < n_legs; ++leg)
        for (int mu = 0; mu < 4; ++mu) total[mu] += momenta[4 * leg + mu];
    const double squared = (total[0] - total[3]) * (total[0] + total[3]) - total[1] * total[1] - total[2] * total[2];
    const double sqrt_s_hat = std::sqrt(squared);
    return sqrt_s_hat >= lowest_sqrt_s_hat() && sqrt_s_hat <= highest_sqrt_s_hat() && cuts.passes(momenta);
}

ModelFile read_model_file(const std::string& path) {
    auto file = read_safetensors(path);
    check_format(file, path);
    ModelFile model;
    model.path = path;
    model.header = metadata(file, path, "header");
    if (sha256(model.header.data(), model.header.size()) != metadata(file, path, "header_sha256"))
        throw Error(path + ": the header does not match its SHA-256; the file is damaged, copy or export it again");
    const auto json = nlohmann::json::parse(model.header, nullptr, /*allow_exceptions=*/false);
    const HeaderReader header(
        json, path, "",
        {"pyamp_version", "process", "couplings", "amplitude", "representation", "target", "network", "likelihood",
         "posterior", "dtype", "domain", "training", "metrics", "self_test", "tensors_sha256"},
        {"sigma_network", "recalibration"});
    if (header.text("tensors_sha256") != file.buffer_sha256)
        throw Error(path + ": the tensors do not match their SHA-256; the file is damaged, copy or export it again");

    model.process = read_process(header);
    model.couplings = read_couplings(header);
    const auto amplitude = header.object("amplitude", {"unit", "spin_colour_average", "identical_particle_factor"});
    model.spin_colour_average = amplitude.positive("spin_colour_average");
    model.representation = read_representation(header, model.process);
    model.target = read_target(header);
    model.likelihood = read_likelihood(header);
    model.network =
        read_network(header, {model.representation, model.target, model.likelihood, model.process.n_legs()});
    model.posterior = read_posterior(header);
    model.sigma_network = read_sigma_network(header, n_features(model.representation));
    model.recalibration = read_recalibration(header);
    model.dtype = dtype_from_name(header.choice("dtype", {"float32", "float64"}), path);
    model.domain = read_domain(header, model.process);
    model.self_test = read_self_test(header, model.process);
    model.tensors = std::move(file.tensors);
    check_tensors(model);
    return model;
}

}  // namespace pyamp
