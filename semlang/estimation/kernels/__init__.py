"""Compiled numerics: arrays in, arrays out; nothing here knows of models or data frames."""
