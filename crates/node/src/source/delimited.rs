//! Delimited text (RFC 4180), plain or compressed with gzip (RFC 1952).

use std::fs::File;
use std::io::{BufReader, Read};
use std::path::Path;

use flate2::read::MultiGzDecoder;
use medshare_anonymiser::Table;
use medshare_protocol::digest::sha256;

use super::{MAX_SOURCE_BYTES, Records, SourceError};

const GZIP_MAGIC: [u8; 2] = [0x1f, 0x8b];

pub(super) fn read(path: &Path, delimiter: u8) -> Result<Records, SourceError> {
    let bytes = decompressed(path, MAX_SOURCE_BYTES)?;
    let table = Table::from_csv(&bytes, delimiter).map_err(|source| SourceError::NotATable {
        path: path.to_owned(),
        source,
    })?;
    Ok(Records {
        table,
        hash: sha256(&[&bytes]),
    })
}

fn decompressed(path: &Path, limit: u64) -> Result<Vec<u8>, SourceError> {
    let unreadable = |source| SourceError::Unreadable {
        path: path.to_owned(),
        source,
    };
    let mut file = File::open(path).map_err(unreadable)?;
    let mut beginning = Vec::new();
    file.by_ref()
        .take(2)
        .read_to_end(&mut beginning)
        .map_err(unreadable)?;
    let is_gzip = beginning == GZIP_MAGIC;
    let whole = std::io::Cursor::new(beginning).chain(BufReader::new(file));
    let mut bytes = Vec::new();
    // One byte more than the limit tells that there is more; a small file can decompress to any size.
    let read = if is_gzip {
        MultiGzDecoder::new(whole)
            .take(limit + 1)
            .read_to_end(&mut bytes)
    } else {
        whole.take(limit + 1).read_to_end(&mut bytes)
    };
    read.map_err(unreadable)?;
    if bytes.len() as u64 > limit {
        return Err(SourceError::TooLarge {
            path: path.to_owned(),
            limit,
        });
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use flate2::{Compression, write::GzEncoder};
    use std::io::Write;

    fn written(bytes: &[u8]) -> tempfile::NamedTempFile {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(bytes).unwrap();
        file
    }

    fn compressed(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn plain_and_compressed_text_give_the_same_records_and_hash() {
        let text = b"age;sex\n31;f\n32;\"m;x\"\n";
        let plain = read(written(text).path(), b';').unwrap();
        let packed = read(written(&compressed(text)).path(), b';').unwrap();
        assert_eq!(plain.table.value(1, 1), "m;x");
        assert_eq!(plain.table, packed.table);
        assert_eq!(plain.hash, packed.hash);
        let changed = read(written(b"age;sex\n31;f\n33;\"m;x\"\n").path(), b';').unwrap();
        assert_ne!(changed.hash, plain.hash);
    }

    #[test]
    fn faults_name_file_and_line() {
        for (bytes, fragment) in [
            (
                b"a,b\n1,2\n3\n".to_vec(),
                "line 3 has 1 cells where the header has 2",
            ),
            (
                b"a,b\n1,\xff\n".to_vec(),
                "line 2, column `b`: this is not UTF-8",
            ),
            (b"a,a\n1,2\n".to_vec(), "column `a` occurs twice"),
            (b"".to_vec(), "no header row"),
            (
                b"a,b\n1,\"2\n3,4\n".to_vec(),
                "opens a quote that is never closed",
            ),
        ] {
            let file = written(&bytes);
            let error = read(file.path(), b',').unwrap_err().to_string();
            assert!(error.contains(fragment), "{error}");
            assert!(
                error.contains(&file.path().display().to_string()),
                "{error}"
            );
        }
        let cut = compressed(b"a,b\n1,2\n");
        let error = read(written(&cut[..cut.len() - 4]).path(), b',').unwrap_err();
        assert!(matches!(error, SourceError::Unreadable { .. }), "{error}");
        let missing = read(Path::new("/nonexistent/x.csv"), b',')
            .unwrap_err()
            .to_string();
        assert!(
            missing.contains("cannot read the source /nonexistent/x.csv"),
            "{missing}"
        );
    }

    #[test]
    fn a_small_file_cannot_unpack_into_all_memory() {
        let bomb = compressed(&vec![b'a'; 100_000]);
        assert!(bomb.len() < 1_000);
        let error = decompressed(written(&bomb).path(), 99_999).unwrap_err();
        assert!(
            matches!(error, SourceError::TooLarge { limit: 99_999, .. }),
            "{error}"
        );
        assert_eq!(
            decompressed(written(&bomb).path(), 100_000).unwrap().len(),
            100_000
        );
    }
}
