"""One file per kind of backend behind one `Model` protocol; `registry` knows them by name."""
