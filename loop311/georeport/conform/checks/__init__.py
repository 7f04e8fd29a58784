"""One module for each group. Importing them fills the registry, in the order in which the checks are run."""

# isort: skip_file
from loop311.georeport.conform.checks import discovery as discovery
from loop311.georeport.conform.checks import headers as headers
from loop311.georeport.conform.checks import services as services
from loop311.georeport.conform.checks import definition as definition
from loop311.georeport.conform.checks import filing as filing
from loop311.georeport.conform.checks import filing_words as filing_words
from loop311.georeport.conform.checks import tokens as tokens
from loop311.georeport.conform.checks import query as query
from loop311.georeport.conform.checks import query_dates as query_dates
from loop311.georeport.conform.checks import query_more as query_more
from loop311.georeport.conform.checks import single as single
from loop311.georeport.conform.checks import fields as fields
from loop311.georeport.conform.checks import errors as errors
from loop311.georeport.conform.checks import updates as updates
from loop311.georeport.conform.checks import agreement as agreement
from loop311.georeport.conform.checks import limits as limits
