//! Extism: the same two host calls and an answer, by its own way of passing bytes, with a fresh plugin for each
//! call from a module that was compiled once.
//!
//! A program of its own, because it has another wasmtime. Prints its version; then each line on its standard
//! input is a number of calls, which it makes and answers with the nanoseconds that they took.

use std::{
    io::{BufRead as _, Write as _},
    time::Instant,
};

use extism::{CompiledPlugin, Manifest, PTR, Plugin, PluginBuilder, UserData, Wasm, host_fn};

/// A plugin by hand: asks for both, answers with the first.
const PLUGIN: &str = r#"
(module
  (import "extism:host/user" "agent" (func $agent (result i64)))
  (import "extism:host/user" "now" (func $now (result i64)))
  (import "extism:host/env" "length" (func $length (param i64) (result i64)))
  (import "extism:host/env" "output_set" (func $output_set (param i64 i64)))
  (memory (export "memory") 17)
  (func (export "run") (result i32)
    (local $text i64)
    (drop (call $now))
    (local.set $text (call $agent))
    (call $output_set (local.get $text) (call $length (local.get $text)))
    (i32.const 0)))
"#;

host_fn!(agent() -> String { Ok("bench".to_owned()) });
host_fn!(now() -> String { Ok("1970-01-01T00:00:00Z".to_owned()) });

fn main() -> anyhow::Result<()> {
    let manifest = Manifest::new([Wasm::data(wat::parse_str(PLUGIN)?)]);
    let builder = PluginBuilder::new(manifest)
        .with_wasi(false)
        .with_function("agent", [], [PTR], UserData::new(()), agent)
        .with_function("now", [], [PTR], UserData::new(()), now);
    let compiled = CompiledPlugin::new(builder)?;
    let mut output = std::io::stdout();
    writeln!(
        output,
        "extism {}",
        extism::extism_version().trim_end_matches('\0')
    )?;
    for line in std::io::stdin().lock().lines() {
        let calls: u32 = line?.trim().parse()?;
        let began = Instant::now();
        for _ in 0..calls {
            let mut plugin = Plugin::new_from_compiled(&compiled)?;
            let answer: String = plugin.call("run", "")?;
            anyhow::ensure!(answer == "bench", "extism answered {answer:?}");
        }
        writeln!(output, "{}", began.elapsed().as_nanos())?;
    }
    Ok(())
}
