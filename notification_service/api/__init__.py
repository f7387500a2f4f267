"""HTTP: parse a request, call one use case or query, render the result."""
