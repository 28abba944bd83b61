//! Decodes the codecs with one byte for each character.

use std::iter;

use super::{Names, has_name, lines_without_comments};

/// Returns the table of a codec.
pub(super) fn find(name: &str, among: Names) -> Option<&'static str> {
    let lines = lines_without_comments(include_str!("charmaps.txt"));
    let mut tables = lines.filter_map(|line| line.split_once(" = "));
    tables.find(|(names, _)| has_name(names, name, among)).map(|(_, table)| table)
}

pub(super) fn decode(table: &str, bytes: &[u8]) -> String {
    let table: Vec<char> = chars(table).collect();
    let char_of = |b: &u8| table.get(usize::from(*b)).copied();
    bytes.iter().map(|b| char_of(b).unwrap_or(char::REPLACEMENT_CHARACTER)).collect()
}

/// Returns the characters of a table, from byte 0 on.
fn chars(table: &str) -> impl Iterator<Item = char> {
    table.split(' ').flat_map(|run| {
        let number = |digits: &str| u32::from_str_radix(digits, 16).unwrap_or(1);
        let (missing, first, last) = match (run.strip_prefix('?'), run.split_once('-')) {
            (Some(count), _) => (number(count), 1, 0),
            (None, Some((first, last))) => (0, number(first), number(last)),
            (None, None) => (0, number(run), number(run)),
        };
        iter::repeat_n('\u{fffd}', missing as usize)
            .chain((first..=last).filter_map(char::from_u32))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_has_256_characters() {
        for line in lines_without_comments(include_str!("charmaps.txt")) {
            let (names, table) = line.split_once(" = ").unwrap();
            assert_eq!(chars(table).count(), 256, "{names}");
        }
    }
}
