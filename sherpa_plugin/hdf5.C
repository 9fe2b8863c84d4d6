// HDF5 files written with whatever libhdf5 is at hand.
#include <dlfcn.h>
#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

#include "hdf5.H"
#include "stop.H"

namespace PyAmp {
namespace {

// Values of the macros of HDF5's headers, fixed since 1.8.
constexpr unsigned truncate_existing = 2;  // H5F_ACC_TRUNC
constexpr Hdf5Library::Id by_default = 0;  // H5P_DEFAULT, H5S_ALL
constexpr int scalar = 0;                  // H5S_SCALAR
constexpr int utf8 = 1;                    // H5T_CSET_UTF8
constexpr std::size_t variable_size = -1;  // H5T_VARIABLE

void* Symbol(void* handle, const std::string& path, const char* name) {
    void* symbol = dlsym(handle, name);
    if (!symbol)
        Stop(path + ": no " + name + ", it is no libhdf5 of version 1.10 or later; give PYAMP_RECORDER: " +
             "{HDF5_LIBRARY: path of libhdf5.so}");
    return symbol;
}

template <class Function>
void Resolve(void* handle, const std::string& path, const char* name, Function*& function) {
    function = reinterpret_cast<Function*>(Symbol(handle, path, name));
}

void SyncDirectoryOf(const std::string& path) {
    const auto slash = path.rfind('/');
    const int directory = ::open(slash == std::string::npos ? "." : path.substr(0, slash).c_str(), O_RDONLY);
    if (directory < 0) return;
    ::fsync(directory);
    ::close(directory);
}

}  // namespace

Hdf5Library::Hdf5Library(const std::string& path) {
    std::vector<std::string> candidates{path};
    if (path.empty()) candidates = {PYAMP_HDF5_LIBRARY, "libhdf5.so", "libhdf5_serial.so"};
    void* handle = nullptr;
    for (const auto& candidate : candidates) {
        // Deep: where Sherpa itself was built with HDF5, of maybe another version, each keeps to its own.
        if (!candidate.empty() && !handle) handle = dlopen(candidate.c_str(), RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND);
        if (handle && m_path.empty()) m_path = candidate;
    }
    if (!handle)
        Stop((path.empty() ? "no libhdf5.so found" : path + ": cannot be opened as libhdf5.so") +
             "; give PYAMP_RECORDER: {HDF5_LIBRARY: path}, for example that in h5py.libs beside the Python package "
             "h5py");
    int (*open_library)();
    int (*set_error_handler)(Id, void*, void*);
    Resolve(handle, m_path, "H5open", open_library);
    Resolve(handle, m_path, "H5Eset_auto2", set_error_handler);
    Resolve(handle, m_path, "H5Fcreate", create_file);
    Resolve(handle, m_path, "H5Fclose", close_file);
    Resolve(handle, m_path, "H5Screate_simple", create_simple_space);
    Resolve(handle, m_path, "H5Screate", create_space);
    Resolve(handle, m_path, "H5Sclose", close_space);
    Resolve(handle, m_path, "H5Dcreate2", create_dataset);
    Resolve(handle, m_path, "H5Dwrite", write_dataset);
    Resolve(handle, m_path, "H5Dclose", close_dataset);
    Resolve(handle, m_path, "H5Acreate2", create_attribute);
    Resolve(handle, m_path, "H5Awrite", write_attribute);
    Resolve(handle, m_path, "H5Aclose", close_attribute);
    Resolve(handle, m_path, "H5Tcopy", copy_type);
    Resolve(handle, m_path, "H5Tset_size", set_type_size);
    Resolve(handle, m_path, "H5Tset_cset", set_character_set);
    Resolve(handle, m_path, "H5Tclose", close_type);
    if (open_library() < 0) Stop(m_path + ": HDF5 does not start");
    set_error_handler(by_default, nullptr, nullptr);  // errors are ours to report, in one line
    float64 = *static_cast<Id*>(Symbol(handle, m_path, "H5T_NATIVE_DOUBLE_g"));
    int64 = *static_cast<Id*>(Symbol(handle, m_path, "H5T_NATIVE_LLONG_g"));
    text = *static_cast<Id*>(Symbol(handle, m_path, "H5T_C_S1_g"));
}

template <class T>
T Hdf5File::Checked(T status) const {
    if (status < 0)
        Stop(m_temporary + ": cannot be written (" + std::strerror(errno) +
             "); is there space, and may this user write there? Shards that are finished stay");
    return status;
}

Hdf5File::Hdf5File(const Hdf5Library& library, const std::string& path)
    : m_library(library), m_path(path), m_temporary(path + ".tmp") {
    m_file = Checked(m_library.create_file(m_temporary.c_str(), truncate_existing, by_default, by_default));
}

Hdf5File::~Hdf5File() {
    if (m_file >= 0) m_library.close_file(m_file);
}

void Hdf5File::TextAttribute(Hdf5Library::Id object, const std::string& name, const std::string& value) {
    const auto type = Checked(m_library.copy_type(m_library.text));
    Checked(m_library.set_type_size(type, variable_size));
    Checked(m_library.set_character_set(type, utf8));
    const auto space = Checked(m_library.create_space(scalar));
    const auto attribute =
        Checked(m_library.create_attribute(object, name.c_str(), type, space, by_default, by_default));
    const char* const characters = value.c_str();
    Checked(m_library.write_attribute(attribute, type, &characters));
    m_library.close_attribute(attribute);
    m_library.close_space(space);
    m_library.close_type(type);
}

void Hdf5File::Attribute(const std::string& name, const std::string& value) { TextAttribute(m_file, name, value); }

void Hdf5File::Write(const std::string& name, Hdf5Library::Id type, const void* data, std::size_t size,
                     const std::vector<std::size_t>& shape, const std::string& unit) {
    std::size_t row = 1;
    for (const std::size_t axis : shape) row *= axis;
    std::vector<Hdf5Library::Size> extent{size / row};
    extent.insert(extent.end(), shape.begin(), shape.end());
    const auto space =
        Checked(m_library.create_simple_space(static_cast<int>(extent.size()), extent.data(), nullptr));
    const auto dataset =
        Checked(m_library.create_dataset(m_file, name.c_str(), type, space, by_default, by_default, by_default));
    if (size) Checked(m_library.write_dataset(dataset, type, by_default, by_default, by_default, data));
    TextAttribute(dataset, "units", unit);
    m_library.close_dataset(dataset);
    m_library.close_space(space);
}

void Hdf5File::Column(const std::string& name, const std::vector<double>& values, const std::string& unit,
                      const std::vector<std::size_t>& shape) {
    Write(name, m_library.float64, values.data(), values.size(), shape, unit);
}

void Hdf5File::Column(const std::string& name, const std::vector<std::int64_t>& values, const std::string& unit) {
    Write(name, m_library.int64, values.data(), values.size(), {}, unit);
}

void Hdf5File::Finish() {
    const auto file = m_file;
    m_file = -1;
    Checked(m_library.close_file(file));
    const int written = Checked(::open(m_temporary.c_str(), O_RDONLY));
    const int synced = ::fsync(written);
    ::close(written);
    Checked(synced);
    Checked(std::rename(m_temporary.c_str(), m_path.c_str()));
    SyncDirectoryOf(m_path);
}

}  // namespace PyAmp
