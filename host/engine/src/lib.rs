//! Wasmtime: a linker per role built from grants, limits, compiled cache, invocation.
