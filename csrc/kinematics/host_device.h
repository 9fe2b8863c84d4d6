// Marks functions for the host and, where nvcc compiles them, the device; and CPU kernels that have a version for
// machines with FMA (x86-64-v3), chosen when the library is loaded.
#pragma once

#ifdef __CUDACC__
#define PYAMP_HOST_DEVICE __host__ __device__ __forceinline__
#elif defined(__GNUC__)
#define PYAMP_HOST_DEVICE inline __attribute__((always_inline))
#else
#define PYAMP_HOST_DEVICE inline
#endif

#if defined(__GNUC__) && !defined(__clang__) && defined(__x86_64__)
#define PYAMP_CPU_VERSIONS __attribute__((target_clones("arch=x86-64-v3", "default")))
#else
#define PYAMP_CPU_VERSIONS
#endif
