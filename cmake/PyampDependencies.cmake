# What pyamp builds against, asked from the running Python: header-only JSON, pybind11, the installed LibTorch, CUDA.
function(ask_python variable code what)
  execute_process(COMMAND "${Python_EXECUTABLE}" -c "${code}" OUTPUT_VARIABLE answer
                  OUTPUT_STRIP_TRAILING_WHITESPACE RESULT_VARIABLE failed ERROR_VARIABLE reason)
  if(failed)
    message(FATAL_ERROR "${Python_EXECUTABLE} has no usable ${what}; install it there first. It said: ${reason}")
  endif()
  set(${variable} "${answer}" PARENT_SCOPE)
endfunction()

ask_python(pybind11_DIR "import pybind11; print(pybind11.get_cmake_dir())" "pybind11")

# A distribution's own nlohmann-json (PYAMP_JSON_INCLUDE, or on the compiler's path) or the one from PyPI.
if(NOT PYAMP_JSON_INCLUDE)
  ask_python(PYAMP_JSON_INCLUDE "import pathlib, nlohmann_json as j; print(pathlib.Path(j.__file__).parent / 'include')"
             "nlohmann-json (or set -DPYAMP_JSON_INCLUDE=DIR)")
endif()
add_library(pyamp_json INTERFACE)
add_library(pyamp::json ALIAS pyamp_json)
target_include_directories(pyamp_json SYSTEM INTERFACE "${PYAMP_JSON_INCLUDE}")

# Torch by hand: its own CMake package searches for MKL, protobuf and a full CUDA toolkit that linking does not need.
ask_python(torch_info "import torch, os; print(os.path.dirname(torch.__file__), torch.__version__.split('+')[0], torch.version.cuda or 'none', int(torch._C._GLIBCXX_USE_CXX11_ABI), sep=';')" "torch")
list(GET torch_info 0 PYAMP_TORCH_ROOT)
list(GET torch_info 1 PYAMP_TORCH_VERSION)
list(GET torch_info 2 PYAMP_TORCH_CUDA)
list(GET torch_info 3 torch_cxx11_abi)
if(PYAMP_TORCH_VERSION VERSION_LESS 2.11 OR PYAMP_TORCH_VERSION VERSION_GREATER_EQUAL 2.14)
  message(FATAL_ERROR "torch ${PYAMP_TORCH_VERSION} found, 2.11 to 2.13 expected; pip install 'torch>=2.11,<2.14'")
endif()
set(PYAMP_TORCH_LIB "${PYAMP_TORCH_ROOT}/lib")
add_library(pyamp_torch_headers INTERFACE)
target_include_directories(pyamp_torch_headers SYSTEM INTERFACE
  "${PYAMP_TORCH_ROOT}/include" "${PYAMP_TORCH_ROOT}/include/torch/csrc/api/include")
target_compile_definitions(pyamp_torch_headers INTERFACE _GLIBCXX_USE_CXX11_ABI=${torch_cxx11_abi})
target_link_directories(pyamp_torch_headers INTERFACE "${PYAMP_TORCH_LIB}")
# Not libtorch and libtorch_cuda: who evaluates on the CPU need not load the GPU's libraries (the backend opens them).
target_link_libraries(pyamp_torch_headers INTERFACE torch_cpu c10)
add_library(pyamp::torch ALIAS pyamp_torch_headers)

# CUDA: "extension" where Torch has it and nvcc exists, "compile_only" where only nvcc exists, else "stub".
include(CheckLanguage)
check_language(CUDA)
if(CMAKE_CUDA_COMPILER)
  if(NOT DEFINED CMAKE_CUDA_ARCHITECTURES)
    set(CMAKE_CUDA_ARCHITECTURES 80-real 90)
  endif()
  enable_language(CUDA)
  set(CMAKE_CUDA_STANDARD 20)
  find_package(CUDAToolkit REQUIRED)
  string(REGEX MATCH "^[0-9]+" torch_cuda_major "${PYAMP_TORCH_CUDA}")
  string(REGEX MATCH "^[0-9]+" nvcc_major "${CMAKE_CUDA_COMPILER_VERSION}")
  if(PYAMP_TORCH_CUDA STREQUAL "none")
    set(PYAMP_CUDA_MODE compile_only)
  elseif(NOT torch_cuda_major EQUAL nvcc_major)
    message(WARNING "nvcc ${CMAKE_CUDA_COMPILER_VERSION} found, CUDA ${torch_cuda_major} of the installed Torch "
                    "expected; the kernels are compiled but not used. Put that nvcc on the PATH to use them.")
    set(PYAMP_CUDA_MODE compile_only)
  else()
    set(PYAMP_CUDA_MODE extension)
    target_link_libraries(pyamp_torch_headers INTERFACE c10_cuda)
  endif()
else()
  set(PYAMP_CUDA_MODE stub)
endif()
message(STATUS "pyamp: torch ${PYAMP_TORCH_VERSION} (CUDA ${PYAMP_TORCH_CUDA}), CUDA kernels: ${PYAMP_CUDA_MODE}")
