//! What does not fit in memory.

use std::fs;
use std::process::Command;

use pulpcov_core::combine::{StoreFormat, store};
use pulpcov_core::{CoverageData, Numbits};

use crate::support::{Dir, pulpcov};

const INPUTS: usize = 68;
const FILES: usize = 20;
const CONTEXTS: usize = 100;
const GIB: u64 = 1 << 30;

/// A file of a hundred thousand lines, of which every context ran others.
fn lines(input: usize, file: usize, context: usize) -> Vec<u8> {
    let mut bytes = vec![0x5a; 8500];
    let row = (input * FILES + file) * CONTEXTS + context;
    bytes[..8].copy_from_slice(&row.to_le_bytes());
    bytes
}

fn context(input: usize, context: usize) -> String {
    format!("test_{input}_{context}")
}

#[test]
fn a_result_of_a_gibibyte_takes_a_quarter_of_it_in_memory() {
    let dir = Dir::new();
    for input in 0..INPUTS {
        let mut data = CoverageData::new();
        for file in 0..FILES {
            for number in 0..CONTEXTS {
                let lines = Numbits::from_bytes(&lines(input, file, number));
                data.add_lines(format!("{file}.py"), &context(input, number), &lines).unwrap();
            }
        }
        store(&data, dir.path(format!(".coverage.host.pid{input}.Xabcdefx")), StoreFormat::Sqlite)
            .unwrap();
    }
    let combine = format!("ulimit -d {}; exec \"$0\" combine --quiet", 256 << 10);
    let mut limited = Command::new("sh");
    limited.args(["-c", &combine]).arg(pulpcov().get_program()).current_dir(dir.path(""));
    assert!(limited.status().unwrap().success());
    assert_eq!(dir.names_in(""), [".coverage"], "inputs are gone, and temporary files too");
    assert!(fs::metadata(dir.path(".coverage")).unwrap().len() > GIB);

    let db = rusqlite::Connection::open(dir.path(".coverage")).unwrap();
    let check: String = db.query_row("PRAGMA quick_check", [], |row| row.get(0)).unwrap();
    assert_eq!(check, "ok");
    let mut rows = db
        .prepare(
            "SELECT file.path, context.context, numbits FROM line_bits
             JOIN file ON file.id = file_id JOIN context ON context.id = context_id",
        )
        .unwrap();
    let mut rows = rows.query([]).unwrap();
    let mut count = 0;
    while let Some(row) = rows.next().unwrap() {
        let (path, name): (String, String) = (row.get(0).unwrap(), row.get(1).unwrap());
        let file: usize = path.strip_suffix(".py").unwrap().parse().unwrap();
        let numbers: Vec<usize> = name.split('_').skip(1).map(|n| n.parse().unwrap()).collect();
        let expected = lines(numbers[0], file, numbers[1]);
        assert!(row.get_ref(2).unwrap().as_bytes().unwrap() == expected, "{path} in {name}");
        count += 1;
    }
    assert_eq!(count, INPUTS * FILES * CONTEXTS);
}
