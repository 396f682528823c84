#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0 OR MIT
"""A model from Python, with ctypes and numpy alone: accel.py MODEL.eie FILE.npy|PICTURE [DEVICE]"""
import ctypes as c
import sys
import numpy as np


class Error(c.Structure):
    _fields_ = [("code", c.c_int), ("layer", c.c_char * 64), ("text", c.c_char * 400)]


class Tensor(c.Structure):
    _fields_ = [("name", c.c_char_p), ("ndim", c.c_uint), ("dims", c.c_uint32 * 6), ("count", c.c_uint64),
                ("scale", c.c_float), ("lo", c.c_int16), ("hi", c.c_int16), ("calibrated", c.c_bool), ("dtype", c.c_int)]


lib = c.CDLL("libaccel.so.0")
lib.accel_model_class.restype = c.c_char_p


def call(name, *args):
    """A function whose last argument is the error; raises what it says."""
    err = Error()
    if getattr(lib, name)(*args, c.byref(err)):
        raise RuntimeError(err.text.decode())


class Model:
    """A model on a device: one input, one output."""
    def __init__(self, path, device="cpu"):
        self.model, dev, prog, self.session = (c.c_void_p() for _ in range(4))
        call("accel_model_open", path.encode(), c.byref(self.model))
        call("accel_device_open", device.encode(), c.byref(dev))
        call("accel_program_compile", self.model, dev, None, c.byref(prog))
        call("accel_session_open", prog, dev, c.byref(self.session))
        self.input, self.output = Tensor(), Tensor()
        lib.accel_model_input(self.model, 0, c.byref(self.input))
        lib.accel_model_output(self.model, 0, c.byref(self.output))

    def read(self, path):
        x = np.zeros(self.input.count, np.float32)
        if path.endswith(".npy"):
            x[:] = np.load(path).ravel()
        else:
            call("accel_model_picture", self.model, 0, path.encode(), x.ctypes)
        return x

    def run(self, x):
        y = np.zeros(self.output.count, np.float32)
        call("accel_session_input", self.session, 0, np.ascontiguousarray(x, np.float32).ctypes)
        call("accel_session_run", self.session)
        call("accel_session_output", self.session, 0, y.ctypes)
        return y


if __name__ == "__main__":
    model = Model(sys.argv[1], *sys.argv[3:])
    for i in (y := model.run(model.read(sys.argv[2]))).argsort()[::-1][:5]:
        print((lib.accel_model_class(model.model, int(i)) or b"class %d" % i).decode(), "%.6g" % y[i])
