"""A file a format; its name is the format's name on the command line.

Each has ``write(run, folder, selection) -> list[Path]``: the files it wrote, whole or not at all, of the same bytes
for the same run. An unknown camera or person is a `UsageError`, a full disk an `InputError`.
"""
