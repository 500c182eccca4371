//! Extism: the same two host calls and an answer, by its own way of passing bytes, with a fresh
//! plugin for each call from a module that was compiled once.

use extism::{CompiledPlugin, Manifest, PTR, Plugin, PluginBuilder, UserData, Wasm, host_fn};

use crate::measure::Contender;

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

/// The contender.
pub fn contender() -> anyhow::Result<Contender> {
    let manifest = Manifest::new([Wasm::data(wat::parse_str(PLUGIN)?)]);
    let builder = PluginBuilder::new(manifest)
        .with_wasi(false)
        .with_function("agent", [], [PTR], UserData::new(()), agent)
        .with_function("now", [], [PTR], UserData::new(()), now);
    let compiled = CompiledPlugin::new(builder)?;
    Ok(Contender {
        name: format!(
            "extism {}, fresh plugin",
            extism::extism_version().trim_end_matches('\0')
        ),
        batch: 100,
        calls: Box::new(move |calls| {
            for _ in 0..calls {
                let mut plugin = Plugin::new_from_compiled(&compiled)?;
                let answer: String = plugin.call("run", "")?;
                anyhow::ensure!(answer == "bench", "extism answered {answer:?}");
            }
            Ok(())
        }),
    })
}
