"""OpenVINO without its telemetry: importing it would tell its makers so, over the network, without being asked.

Its package openvino_telemetry comes with it. Where that cannot be imported, OpenVINO takes a stub that sends nothing.
"""

from __future__ import annotations

import sys

if "openvino" not in sys.modules:
    sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]

import openvino
import openvino.opset13 as ops

PagedAttention = openvino.op._PagedAttentionExtension
Model, Node, Output, Tensor = openvino.Model, openvino.Node, openvino.Output, openvino.Tensor

__all__ = ["Model", "Node", "Output", "PagedAttention", "Tensor", "openvino", "ops"]
