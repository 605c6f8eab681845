"""Weights in and out: checkpoints read without running code, ONNX."""
