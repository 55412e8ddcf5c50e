"""Django's SQLite, told how many values one statement of the library at hand really takes."""
