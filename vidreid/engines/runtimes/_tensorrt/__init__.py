"""What the runtimes tensorrt and tensorrt-rtx share: all but `api`."""
