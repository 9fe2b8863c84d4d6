// Threads that work on a tile together: those of the device, or loops in their place on the host.
//
// The kernel's body is written in phases between barriers, each a function of the thread's index, so that the host
// can run the very same code thread by thread. A group has
//   phase(f)                 f(thread) on all threads, then a barrier of the group
//   each(f)                  the same without a barrier
//   each_warp(f)             f(warp) on all warps, without a barrier; a warp has index(), each(f) on its threads, and
//                            multiply_add(c, a, b), functions of the thread: mma.m16n8k16 of halves, see mma.h
//   raise(to, bits)          to = max(to, bits), by several threads at once
//   load(to, from, bytes)    copies to shared memory with all threads of the block, after a barrier and before one
//   PerThread<X>             an X of each thread that outlives a phase; zero at first, since a register that is not
//                            written on every path counts as taken since the loop before
//   threads(), index(), count(), weights(), memory()
#pragma once

#include "kinematics/host_device.h"

#ifdef __CUDACC__
#define PYAMP_DEVICE_BODY __device__ __forceinline__
// What runs once for a point, apart so that it leaves the registers to the sums of the layers.
#define PYAMP_DEVICE_CALL __device__ __noinline__
#define PYAMP_UNROLL _Pragma("unroll")
#define PYAMP_PRAGMA(text) _Pragma(#text)
#define PYAMP_UNROLL_BY(n) PYAMP_PRAGMA(unroll n)
#else
#define PYAMP_DEVICE_BODY inline
#define PYAMP_DEVICE_CALL inline
#define PYAMP_UNROLL
#define PYAMP_UNROLL_BY(n)
#endif

namespace pyamp::cuda {

/// The same address, which the compiler then knows to be one of shared memory: its loads need not look where it is.
template <typename T>
PYAMP_DEVICE_BODY const T* in_shared_memory(const T* pointer) {
#ifdef __CUDACC__
    unsigned address;
    asm("{ .reg .u64 wide; cvta.to.shared.u64 wide, %1; cvt.u32.u64 %0, wide; }" : "=r"(address) : "l"(pointer));
    return static_cast<const T*>(__cvta_shared_to_generic(address));
#else
    return pointer;
#endif
}

}  // namespace pyamp::cuda
