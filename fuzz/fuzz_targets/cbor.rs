#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| medshare_fuzz::checks::cbor::check(data));
