//! One target for every decoder: `ALLIANCE_DECODER` names it (`tests/src/decoders.rs`). `.ci/soak fuzz` runs them all.
#![no_main]

use std::sync::OnceLock;

use alliance_tests::decoders::Decoder;
use libfuzzer_sys::fuzz_target;

fn decoder() -> &'static Decoder {
    static DECODER: OnceLock<Decoder> = OnceLock::new();
    DECODER.get_or_init(|| {
        let name = std::env::var("ALLIANCE_DECODER").expect("ALLIANCE_DECODER names a decoder");
        Decoder::named(&name).unwrap_or_else(|| panic!("no decoder is called {name}"))
    })
}

// Behind a zero stands what is inside the decoder's shell: a checksum is found by no fuzzer.
fuzz_target!(|input: &[u8]| {
    let decoder = decoder();
    let bytes = match (decoder.shell, input.split_first()) {
        (Some(shell), Some((0, inside))) => (shell.close)(inside),
        _ => input.to_vec(),
    };
    let read = (decoder.decode)(&bytes);
    if let Some(complaint) = decoder.complaint(&bytes, read.as_deref()) {
        panic!("{}: {complaint}", decoder.name);
    }
});
