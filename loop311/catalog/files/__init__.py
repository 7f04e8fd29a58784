"""A catalogue as YAML files that people review: reading, merging, writing."""

from loop311.catalog.files.reading import STARTER, Source, read, read_values
from loop311.catalog.files.writing import plain_values, write_file, write_folder, yaml_text

__all__ = ["STARTER", "Source", "plain_values", "read", "read_values", "write_file", "write_folder", "yaml_text"]
