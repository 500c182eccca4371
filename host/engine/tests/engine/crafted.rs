//! Components that no compiler of ours would make, from WebAssembly text.

use std::path::Path;

use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::{Resolve, UnresolvedPackageGroup};

/// A component in the text format, as it is written: it need not be valid.
pub(crate) fn component_text(text: &str) -> Vec<u8> {
    wat::parse_str(text).unwrap_or_else(|error| panic!("{error}"))
}

/// A component of one core module whose world is the base of a skill and these imports.
///
/// The module has memory, an allocator that gives `ALLOCATED`, and a handler with the body `run`;
/// `items` are further parts of it. `$ok` is the address of an outcome that says nothing.
pub(crate) fn skill(imports: &[&str], items: &str, run: &str) -> Vec<u8> {
    let text = format!(
        r#"(module
            {items}
            (memory (export "memory") 2)
            (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32)
                (i32.const 65536))
            (func (export "platinum:skill/handler@0.1.0#run")
                (param i32 i32 i32 i32 i32 i32 i32 i32) (result i32)
                {run}
                (i32.const 1024))
        )"#
    );
    let mut module = component_text(&text);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit");
    let mut packages = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            packages.push(UnresolvedPackageGroup::parse_dir(&path).unwrap());
        }
    }
    let imports: String = imports
        .iter()
        .map(|import| format!("import {import};\n"))
        .collect();
    let world = format!(
        "package tests:hostile;\nworld skill {{ include platinum:skill/base@0.1.0;\n{imports}}}\n"
    );
    let own = UnresolvedPackageGroup::parse("hostile.wit", &world).unwrap();
    let mut resolve = Resolve::default();
    let package = resolve.push_groups(own, packages).unwrap();
    let world = resolve.select_world(&[package], None).unwrap();
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).unwrap();
    ComponentEncoder::default()
        .module(&module)
        .unwrap()
        .encode()
        .unwrap()
}

/// A component whose code is `functions` functions of some size each, and which is no skill beyond
/// its exported name: it is refused after it was compiled.
pub(crate) fn large(functions: usize) -> Vec<u8> {
    let steps = "local.get 0 i32.const 7 i32.mul local.get 0 i32.xor local.set 0\n".repeat(60);
    let function = format!("(func (param i32) (result i32) {steps} local.get 0)\n");
    component_text(&format!(
        "(component (core module {}) (instance $i) \
         (export \"platinum:skill/handler@0.1.0\" (instance $i)))",
        function.repeat(functions)
    ))
}
