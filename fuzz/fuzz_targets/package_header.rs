#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| medshare_fuzz::checks::package_header::check(data));
