//! Components that no compiler of ours would make, from WebAssembly text.

use std::path::Path;

use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::{Resolve, UnresolvedPackageGroup};

/// What is used here of WASI: enough to wait.
const WASI: [&str; 2] = [
    "package wasi:io@0.2.0;
    interface poll { resource pollable { block: func(); } }",
    "package wasi:clocks@0.2.0;
    interface monotonic-clock {
        use wasi:io/poll@0.2.0.{pollable};
        subscribe-duration: func(when: u64) -> pollable;
    }",
];

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
    for package in WASI {
        packages.push(UnresolvedPackageGroup::parse("wasi.wit", package).unwrap());
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

/// A component whose code is so many functions of 600 bytes each. It has the handler's name and not
/// its type, so it is refused after it was compiled.
pub(crate) fn large(functions: usize) -> Vec<u8> {
    let step: [u8; 10] = [
        0x20, 0, // local.get 0
        0x41, 7,    // i32.const 7
        0x6c, // i32.mul
        0x20, 0,    // local.get 0
        0x73, // i32.xor
        0x21, 0, // local.set 0
    ];
    let body = [&[0][..], &step.repeat(60), &[0x20, 0, 0x0b]].concat();
    let body = [size(body.len()), body].concat();
    let mut module = b"\0asm\x01\0\0\0".to_vec();
    module.extend(section(1, &[1, 0x60, 1, 0x7f, 1, 0x7f]));
    module.extend(section(3, &[size(functions), vec![0; functions]].concat()));
    module.extend(section(
        10,
        &[size(functions), body.repeat(functions)].concat(),
    ));
    let around = component_text(
        "(component (instance $i) (export \"platinum:skill/handler@0.1.0\" (instance $i)))",
    );
    let (header, rest) = around.split_at(8);
    [header, &section(1, &module), rest].concat()
}

fn section(id: u8, content: &[u8]) -> Vec<u8> {
    [vec![id], size(content.len()), content.to_vec()].concat()
}

/// A number as WebAssembly writes it (LEB128).
fn size(mut number: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let low = u8::try_from(number & 0x7f).unwrap();
        number >>= 7;
        if number == 0 {
            bytes.push(low);
            return bytes;
        }
        bytes.push(low | 0x80);
    }
}
