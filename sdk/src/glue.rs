//! [`skill!`](crate::skill): the lines between a skill's `run` and the component's export.
//!
//! Lives elsewhere: the imports' bindings are in [`bindings`](crate::bindings), shared by all.
//! Invariants: the component-type section comes from the skill's own `wit/world.wit` alone.

/// Makes a component of a function.
///
/// - `world`: the skill's world, `skills:<name>/<name>`, in its `wit/world.wit`;
/// - `imports`: each interface that this world brings in beyond `platinum:skill/base`, types
///   interfaces too, with its module in this crate. A missing or superfluous one does not build;
/// - `run`: a module and its `fn(&impl ..., &Invocation) -> Result<Outcome, Error>`.
#[macro_export]
macro_rules! skill {
    (
        world: $world:literal,
        imports: { $($name:literal : $module:path),* $(,)? },
        run: $run_module:ident :: $run:ident $(,)?
    ) => {
        #[allow(
            missing_docs,
            unsafe_code,
            unreachable_pub,
            dead_code,
            clippy::all,
            clippy::allow_attributes_without_reason,
            clippy::cast_possible_truncation,
            clippy::needless_pass_by_value,
            reason = "generated code"
        )]
        mod component {
            $crate::wit_bindgen::generate!({
                world: $world,
                path: [
                    "../../wit/skill",
                    "../../wit/actions",
                    "../../wit/tasks",
                    "../../wit/drafts",
                    "../../wit/updates",
                    "../../wit/model",
                    "../../wit/vault",
                    "../../wit/approvals",
                    "../../wit/email",
                    "../../wit/social",
                    "../../wit/odoo",
                    "../../wit/payments",
                    "../../wit/browser",
                    "../../wit/whatsapp",
                    "../../wit/sync",
                    "../../wit/health",
                    "../../wit/dashboard",
                    "wit",
                ],
                runtime_path: "::platinum_sdk::wit_bindgen::rt",
                with: {
                    "platinum:skill/types@0.1.0": ::platinum_sdk::skill::types,
                    "platinum:skill/context@0.1.0": ::platinum_sdk::skill::context,
                    "platinum:skill/log@0.1.0": ::platinum_sdk::skill::log,
                    $($name: $module,)*
                },
            });

            struct Component;

            impl exports::platinum::skill::handler::Guest for Component {
                fn run(invocation: $crate::Invocation) -> Result<$crate::Outcome, $crate::Error> {
                    super::$run_module::$run(&$crate::Host, &invocation)
                }
            }

            // A native linker does not take the export's name.
            #[cfg(target_arch = "wasm32")]
            export!(Component);
        }
    };
}
