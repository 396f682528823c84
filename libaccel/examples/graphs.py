#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 OR MIT
"""One session, many graphs: graphs.py MODEL.eie X.npy A DEVICE GRAPH.npz...

MODEL.eie is a graph network that was imported with --sparse A=GRAPH.npz; A is the name of that input. Each GRAPH.npz, of
scipy.sparse.save_npz, is one more matrix of as many nodes, with values that the first one has. Prints the largest output of each node.
"""
import ctypes as c
import sys
import numpy as np
from accel import Model, call


class Sparse(c.Structure):
    _fields_ = [("rows", c.c_uint32), ("cols", c.c_uint32), ("rowptr", c.c_void_p), ("col", c.c_void_p), ("value", c.c_void_p)]


def give(model, name, rowptr, col, value, shape):
    """The layers that multiply matrix `name` multiply this one from now on. The library copies it."""
    rowptr, col = (np.ascontiguousarray(a, np.uint32) for a in (rowptr, col))
    value = np.ascontiguousarray(value, np.float32)
    call("accel_session_sparse", model.session, name.encode(),
         c.byref(Sparse(*map(int, shape), rowptr.ctypes.data, col.ctypes.data, value.ctypes.data)))


if __name__ == "__main__":
    path, features, name, device, *graphs = sys.argv[1:]
    model = Model(path, device)
    x = model.read(features)
    for graph in graphs:
        g = np.load(graph)
        give(model, name, g["indptr"], g["indices"], g["data"], g["shape"])
        y = model.run(x).reshape(int(g["shape"][0]), -1)
        print(graph, *y.argmax(1), "%.6g" % y.max())
