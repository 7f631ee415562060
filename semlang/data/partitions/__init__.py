"""Data in partitions: Parquet files read a few row groups at a time, frames of dask, and what is asked of them."""
