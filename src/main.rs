//! Parse, load, run, and turn the error chain into an exit code.

fn main() {}
