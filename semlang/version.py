"""The version of the program, which files say that it wrote."""

VERSION = "0.1.0"
