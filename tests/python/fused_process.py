"""POINTS.npy MODEL …: the fused kernels of this process against LibTorch; prints the instruction set that ran."""

import re
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))

import pyamp
from tests.python.test_fused import TOLERANCES, compare

momenta = np.load(sys.argv[1])
for path in map(Path, sys.argv[2:]):
    for dtype in TOLERANCES:
        compare(path, momenta, dtype)
        evaluate = pyamp.Evaluator(path, dtype=dtype, backend="fused")
        evaluators = [evaluate]
        if dtype == "float32":
            evaluators.append(pyamp.Evaluator(path, dtype=dtype, weights="bfloat16"))
        for each in evaluators:
            single = np.concatenate([each(momenta[k]).amplitude for k in range(40)])
            np.testing.assert_array_equal(single, each(momenta[:40]).amplitude)
        print(re.findall(r"\((.*)\)", evaluate.backend)[0])
