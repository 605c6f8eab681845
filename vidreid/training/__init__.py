"""Data sets, samplers, augmentation, losses and the loop. Needs torch, NumPy, OpenCV and PyYAML alone."""
