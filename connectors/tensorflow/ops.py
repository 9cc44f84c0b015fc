"""Writes ops.txt: every op that TensorFlow's core library registers, one a line.

"s" after the name marks an op that the registry calls stateful, or that takes a
reference to a variable or table (TensorFlow 1's way to change one).

    python ops.py /path/to/site-packages/tensorflow/libtensorflow_cc.so.2 > ops.txt

Needs the tensorflow-cpu wheel (2.21.0 wrote the list that is committed).
"""

import ctypes
import os
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
from tensorflow.core.framework import op_def_pb2  # noqa: E402


class Buffer(ctypes.Structure):
    _fields_ = [("data", ctypes.c_void_p), ("length", ctypes.c_size_t), ("free", ctypes.c_void_p)]


lib = ctypes.CDLL(sys.argv[1])
lib.TF_GetAllOpList.restype = ctypes.POINTER(Buffer)
buf = lib.TF_GetAllOpList().contents
ops = op_def_pb2.OpList()
ops.ParseFromString(ctypes.string_at(buf.data, buf.length))
for op in sorted(ops.op, key=lambda op: op.name):
    state = op.is_stateful or any(a.is_ref for a in op.input_arg)
    print(op.name + (" s" if state else ""))
