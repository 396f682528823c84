#!/bin/sh
# SPDX-License-Identifier: GPL-2.0 OR MIT
# Graph networks: sparse matrices of scipy's files, at import and at run time, by the command and by the example in Python.
. "$(dirname "$0")/lib.sh"

fixture onnx gcn.onnx graph
# a ring, a star, a ring with another weight; what scipy.sparse.save_npz writes; and the networks' outputs in floating point
cat >make.py <<'END'
import numpy as np
def save(name, dense, **more):
    rows, cols = np.nonzero(dense)
    indptr = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=len(dense)))]).astype(np.int32)
    np.savez(name, data=dense[rows, cols], indices=cols.astype(np.int32), indptr=indptr, shape=np.array(dense.shape), format=np.array(b"csr"), **more)
n = 6
ring = np.eye(n) + np.roll(np.eye(n), 1, 1) + np.roll(np.eye(n), -1, 1)
star = np.eye(n)
star[0, :] = star[:, 0] = 1
save("ring.npz", ring.astype(np.float32))
save("star.npz", star.astype(np.int8))
save("half.npz", (ring / 2).astype(np.float32))
save("small.npz", star[:5, :5].astype(np.float32))
save("more.npz", star.astype(np.float32), weights=np.ones(3))
x = np.random.default_rng(1).uniform(-1, 1, (n, 4)).astype(np.float32)
np.save("x.npy", x)
np.save("calib.npy", 3 * x)
END
/usr/bin/python3 make.py || not_ok "graphs"
try 0 "import with a graph" import gcn.onnx --sparse A=ring.npz --calib calib.npy -o gcn.eie
try 0 "explain" explain gcn.eie --device ref:8x8 --json
check "products with the graph are the engine's" awk '/"(name|layer)": *"spread[12]"/ { n++ } /"where": *"cpu"/ { bad = 1 } END { exit n != 2 || bad }' out
try 0 "the graph of the import" run gcn.eie --input x.npy -o ring.npy --device ref:8x8 --verify
try 0 "another graph" run gcn.eie --sparse A=star.npz --input x.npy -o star.npy --device ref:8x8 --verify
try 0 "another graph, on the CPU" run gcn.eie --sparse A=star.npz --input x.npy -o star_cpu.npy
check "the same bits" cmp star.npy star_cpu.npy
try 0 "the first one again" run gcn.eie --sparse A=ring.npz --input x.npy -o again.npy --device sim:8x8
check "the same bits as without an option" cmp ring.npy again.npy
try 0 "the float network" import gcn.onnx --sparse A=star.npz --conv float32 --weights exact --calib calib.npy -o float.eie
try 0 "its output" run float.eie --input x.npy -o float.npy
try 0 "an ONNX file with a graph" run gcn.onnx --sparse A=star.npz --input calib.npy -o direct.npy
cat >close.py <<'END'
import sys
import numpy as np
a, b = np.load(sys.argv[1]), np.load(sys.argv[2])
sys.exit(not (a.shape == b.shape and abs(a).max() > 0.1 and abs(a - b).max() < 0.02 * abs(a).max()))
END
check "close to the float network" /usr/bin/python3 close.py float.npy star.npy
if /usr/bin/python3 close.py ring.npy star.npy; then not_ok "two graphs, one output"; else ok "two graphs, two outputs"; fi
try 1 "a value that the codebook has not" run gcn.eie --sparse A=half.npz --input x.npy
check "which and where" grep -q "row 0, column 0 is 0.5, which its codebook" err
try 1 "another size" run gcn.eie --sparse A=small.npz --input x.npy
check "both sizes" grep -q "6 x 6; the one given is 5 x 5" err
try 1 "a name that is none" run gcn.eie --sparse B=star.npz --input x.npy
check "says so" grep -q "no layer multiplies a matrix 'B'" err
try 1 "a key that is none" run gcn.eie --sparse A=more.npz --input x.npy
check "names the key" grep -q "more.npz: 'weights.npy'" err
try 1 "no file" run gcn.eie --sparse A=gone.npz --input x.npy
try 1 "no name" run gcn.eie --sparse star.npz --input x.npy
check "what is missing" grep -q "NAME=GRAPH.npz" err
try 1 "a command that cannot" explain gcn.eie --sparse A=star.npz
try 1 "a network without the input" import gcn.onnx --sparse C=ring.npz -o c.eie
check "names the input" grep -q "'C'" err
example=$top/libaccel/examples/graphs.py
check "at most 60 lines" [ "$(wc -l <"$example")" -le 60 ]
LD_LIBRARY_PATH=$(cd "$BUILD" && pwd) PYTHONDONTWRITEBYTECODE=1 /usr/bin/python3 "$example" gcn.eie x.npy A ref:8x8 ring.npz star.npz ring.npz >got 2>err || not_ok "graphs.py: $(tail -n 1 err)"
cat >want.py <<'END'
import numpy as np
for name in "ring", "star", "ring":
    y = np.load(name + ".npy").reshape(6, -1)
    print(name + ".npz", *y.argmax(1), "%.6g" % y.max())
END
/usr/bin/python3 want.py >want
check "the example gives what the command gives" cmp got want
finish
