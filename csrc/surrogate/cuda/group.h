// Threads that work on a tile together: those of the device, or loops in their place on the host.
//
// The kernel's body is written in phases between barriers, each a function of the thread's index, so that the host can
// run the very same code thread by thread. A group has
//   phase(f)                 f(thread) on all threads, then a barrier of the group
//   each(f)                  the same without a barrier
//   load(to, from, bytes)    copies to shared memory with all threads of the block, after a barrier and before one
//   PerThread<X>             an X of each thread that outlives a phase
//   threads(), index(), count(), weights(), memory()
#pragma once

#include "kinematics/host_device.h"

#ifdef __CUDACC__
#define PYAMP_DEVICE_BODY __device__ __forceinline__
// Apart, so that each keeps its own registers: what runs once for a point, and the sums of a layer.
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
