"""One function per kind of operator: from the file's operator to the call of a kernel."""
