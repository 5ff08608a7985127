#![allow(clippy::unwrap_used)]

use super::*;
use crate::descriptor::Dataset;

fn example() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/node.toml")
}

/// The example with one line changed, in a folder of its own.
fn changed(from: &str, to: &str) -> Result<Config, ConfigError> {
    let text = std::fs::read_to_string(example()).unwrap();
    assert!(text.contains(from), "the example has no `{from}`");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("node.toml");
    std::fs::write(&path, text.replacen(from, to, 1)).unwrap();
    Config::load(&path)
}

#[test]
fn the_example_is_taken_and_paths_are_relative_to_it() {
    let config = Config::load(&example()).unwrap();
    assert_eq!(config.listen.port(), 8600);
    assert_eq!(config.limits, Limits::default());
    assert_eq!(config.log, DEFAULT_LOG);
    assert_eq!(config.vouching, Vouching::Anyone);
    assert_eq!(config.chain.chain_id, Some(31_337));
    assert_eq!(config.data_dir, example().with_file_name("data"));
    let dataset = Dataset::load(&config.datasets[0]).unwrap();
    assert_eq!(dataset.descriptor.name, "encounters");
}

#[test]
fn commented_defaults_of_the_example_are_the_defaults() {
    let text = std::fs::read_to_string(example()).unwrap();
    for key in [
        "lease-seconds",
        "confirmations",
        "max-pending-requests",
        "max-unauthenticated-requests",
        "log",
    ] {
        assert!(text.contains(&format!("\n# {key} = ")), "{key}");
    }
    let uncommented = text
        .replace("\n# lease", "\nlease")
        .replace("\n# conf", "\nconf")
        .replace("\n# max", "\nmax")
        .replace("\n# log", "\nlog");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("node.toml");
    std::fs::write(&path, uncommented).unwrap();
    let config = Config::load(&path).unwrap();
    assert_eq!(
        (config.limits, config.log.as_str()),
        (Limits::default(), DEFAULT_LOG)
    );
}

#[test]
fn every_fault_is_named_with_file_line_and_key() {
    for (from, to, fragment) in [
        (
            "listen = \"127.0.0.1:8600\"",
            "listen = \"here\"",
            "line 4: invalid socket address syntax",
        ),
        ("listen =", "listne =", "line 4: unknown field `listne`"),
        (
            "# lease-seconds = 60",
            "lease-seconds = 0",
            "line 20, `lease-seconds`: 0 is not from 1 to 86400",
        ),
        (
            "# confirmations = 0",
            "confirmations = 10001",
            "`confirmations`: 10001 is not from 0 to 10000",
        ),
        (
            "# store-check-seconds = 600",
            "store-check-seconds = 0",
            "`store-check-seconds`: 0 is not from 1 to 86400",
        ),
        (
            "# max-pending-requests = 1024",
            "max-pending-requests = 0",
            "`max-pending-requests`: 0 is not",
        ),
        (
            "public-endpoint = \"http",
            "public-endpoint = \"ftp",
            "line 5, `public-endpoint`: it is no HTTP address",
        ),
        (
            "0x70997970C51812dc3A010C7d01b50e0d17dc79C8",
            "0x7099",
            "line 13: ",
        ),
        (
            "0x70997970C51812dc3A010C7d01b50e0d17dc79C8",
            "0x0000000000000000000000000000000000000000",
            "`custodian`: it is the zero address",
        ),
        (
            "vouch-for = \"anyone\"",
            "vouch-for = \"everyone\"",
            "line 29, `vouch-for`: it is \"anyone\" or a list",
        ),
        (
            "vouch-for = \"anyone\"",
            "vouch-for = [\"0x12\"]",
            "`vouch-for`: \"0x12\" is no credential hash",
        ),
        ("datasets = [", "datasets = 7 #", "line 18: invalid type"),
        ("keystore =", "# keystore =", "missing field `keystore`"),
        ("chain-id = 31337", "chain-id = ", "line 10: "),
    ] {
        let error = changed(from, to).unwrap_err().to_string();
        assert!(error.contains(fragment), "{error}");
        assert!(error.contains("node.toml, line "), "{error}");
        assert!(!error.contains('\n'), "{error}");
    }
    let error = Config::load(Path::new("/nonexistent/node.toml"))
        .unwrap_err()
        .to_string();
    assert!(
        error.starts_with("cannot read /nonexistent/node.toml: "),
        "{error}"
    );
}

#[test]
fn files_that_are_no_text_or_too_large_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("node.toml");
    std::fs::write(&path, b"listen = 1\n\xff").unwrap();
    let error = Config::load(&path).unwrap_err().to_string();
    assert!(
        error.ends_with("line 2: not UTF-8; convert the file first"),
        "{error}"
    );
    std::fs::write(&path, vec![b'#'; 256 * 1024 + 1]).unwrap();
    assert!(matches!(
        Config::load(&path),
        Err(ConfigError::TooLarge { .. })
    ));
}

#[test]
fn the_passphrase_comes_from_its_file_without_the_line_end() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = Config::load(&example()).unwrap();
    let path = folder.path().join("passphrase");
    for (written, expected) in [
        ("open sesame\n", "open sesame"),
        ("a\r\n", "a"),
        (" b ", " b "),
        ("c\n\n", "c\n"),
    ] {
        std::fs::write(&path, written).unwrap();
        config.passphrase_file = Some(path.clone());
        assert_eq!(config.passphrase().unwrap().as_str(), expected);
    }
    config.passphrase_file = Some(folder.path().join("missing"));
    let error = config.passphrase().unwrap_err().to_string();
    assert!(error.starts_with("cannot read "), "{error}");
}

#[test]
fn nobody_is_vouched_for_unless_the_operator_says_so() {
    let line = "vouch-for = \"anyone\"";
    assert_eq!(changed(line, "").unwrap().vouching, Vouching::default());
    let listed = alloy_primitives::B256::repeat_byte(7);
    let vouching = changed(line, &format!("vouch-for = [\"{listed}\"]"))
        .unwrap()
        .vouching;
    assert!(vouching.covers(listed));
    assert!(!vouching.covers(alloy_primitives::B256::repeat_byte(8)));
    assert!(!Vouching::default().covers(listed));
}
