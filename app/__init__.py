"""Everything a person touches: the page, the sockets, the command line, desktop talk."""
