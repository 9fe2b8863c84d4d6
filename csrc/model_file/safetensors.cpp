// Strict reader of safetensors containers.
#include "model_file/safetensors.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <fstream>
#include <limits>
#include <nlohmann/json.hpp>
#include <sstream>

#include "error.h"
#include "model_file/sha256.h"

namespace pyamp {
namespace {

static_assert(std::endian::native == std::endian::little, "safetensors are little-endian");

constexpr std::uint64_t max_table_size = 100'000'000;

[[noreturn]] void damaged(const std::string& path, const std::string& what) {
    throw Error(path + ": " + what + "; the file is damaged or incomplete, copy or export it again");
}

std::string read_bytes(const std::string& path) {
    std::ifstream file(path, std::ios::binary);
    if (!file) throw Error(path + ": cannot be opened; a model file NAME.safetensors was expected, check the path");
    std::ostringstream bytes;
    bytes << file.rdbuf();
    return std::move(bytes).str();
}

template <typename T>
std::vector<double> values_of(const char* bytes, std::size_t count) {
    std::vector<double> values(count);
    for (std::size_t i = 0; i < count; ++i) {
        T value;
        std::memcpy(&value, bytes + i * sizeof(T), sizeof(T));
        values[i] = static_cast<double>(value);
    }
    return values;
}

struct Extent {
    std::uint64_t begin, end;
};

Tensor read_tensor(const std::string& path, const std::string& name, const nlohmann::json& entry,
                   std::string_view buffer, std::vector<Extent>& extents) {
    if (!entry.is_object() || entry.size() != 3 || !entry.contains("dtype") || !entry.contains("shape") ||
        !entry.contains("data_offsets"))
        damaged(path, "tensor '" + name + "' is not described by dtype, shape and data_offsets");
    Tensor tensor;
    const auto dtype = entry["dtype"].get<std::string>();
    if (dtype != "F32" && dtype != "F64")
        throw Error(path + ": tensor '" + name + "' has dtype " + dtype + ", F32 or F64 expected; export it again");
    tensor.dtype = dtype == "F32" ? Dtype::float32 : Dtype::float64;
    const std::uint64_t item = tensor.dtype == Dtype::float32 ? 4 : 8;
    tensor.shape = entry["shape"].get<std::vector<std::int64_t>>();
    std::uint64_t count = 1;
    for (const auto length : tensor.shape) {
        if (length < 1 || count > buffer.size() / static_cast<std::uint64_t>(length))
            damaged(path, "tensor '" + name + "' has an impossible shape " + entry["shape"].dump());
        count *= static_cast<std::uint64_t>(length);
    }
    const auto offsets = entry["data_offsets"].get<std::vector<std::uint64_t>>();
    if (offsets.size() != 2 || offsets[0] > offsets[1] || offsets[1] > buffer.size() ||
        offsets[1] - offsets[0] != count * item)
        damaged(path, "tensor '" + name + "' of shape " + entry["shape"].dump() + " does not fit its place " +
                          entry["data_offsets"].dump() + " in " + std::to_string(buffer.size()) + " bytes");
    extents.push_back({offsets[0], offsets[1]});
    const char* bytes = buffer.data() + offsets[0];
    tensor.values = tensor.dtype == Dtype::float32 ? values_of<float>(bytes, count) : values_of<double>(bytes, count);
    return tensor;
}

}  // namespace

Safetensors read_safetensors(const std::string& path) {
    const std::string bytes = read_bytes(path);
    std::uint64_t table_size = 0;
    if (bytes.size() >= 8) std::memcpy(&table_size, bytes.data(), 8);
    if (bytes.size() < 10 || table_size > max_table_size || bytes[8] != '{')
        throw Error(path + ": not a safetensors file; a model file NAME.safetensors written by pyamp was expected");
    if (table_size > bytes.size() - 8)
        damaged(path, "the table of " + std::to_string(table_size) + " bytes exceeds the file's " +
                          std::to_string(bytes.size()));
    const auto table =
        nlohmann::json::parse(bytes.begin() + 8, bytes.begin() + 8 + static_cast<std::ptrdiff_t>(table_size), nullptr,
                              /*allow_exceptions=*/false);
    if (!table.is_object()) damaged(path, "the table of tensors is not valid JSON");

    Safetensors result;
    const std::string_view buffer = std::string_view(bytes).substr(8 + table_size);
    std::vector<Extent> extents;
    try {
        for (const auto& [name, entry] : table.items()) {
            if (name == "__metadata__")
                result.metadata = entry.get<std::map<std::string, std::string>>();
            else
                result.tensors.emplace(name, read_tensor(path, name, entry, buffer, extents));
        }
    } catch (const nlohmann::json::exception& e) {
        damaged(path, std::string("the table of tensors is malformed (") + e.what() + ")");
    }
    std::sort(extents.begin(), extents.end(), [](auto a, auto b) { return a.begin < b.begin; });
    std::uint64_t covered = 0;
    for (const auto& extent : extents) {
        if (extent.begin != covered)
            damaged(path, "the tensors overlap or leave a gap at byte " + std::to_string(covered));
        covered = extent.end;
    }
    if (covered != buffer.size())
        damaged(path, "the tensors take " + std::to_string(covered) + " bytes, " + std::to_string(buffer.size()) +
                          " found");
    result.buffer_sha256 = sha256(buffer.data(), buffer.size());
    return result;
}

}  // namespace pyamp
