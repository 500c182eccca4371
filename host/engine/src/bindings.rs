//! The bindings of the roof world alone: what every skill exports, and the words it is called with.
//!
//! Lives elsewhere: the host's side of each interface is generated where it is implemented, in
//! `capabilities` and `effects`. A component of any skill's world fits, because only the exported
//! handler is looked up here.

wasmtime::component::bindgen!({
    path: ["../../wit/skill"],
    world: "platinum:skill/base",
    imports: { default: async | trappable },
    exports: { default: async },
});
