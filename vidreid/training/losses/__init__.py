"""Losses of the papers, and of distillation: functions of tensors, a file a loss."""
