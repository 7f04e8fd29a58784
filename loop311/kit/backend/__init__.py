"""Django's PostgreSQL backend with psycopg's own timestamp loader; Django's is pure Python and costs half of a long list."""
