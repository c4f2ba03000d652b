"""One module for each noun: parse, ask the middleware, render. Loaded only when their command is called."""
