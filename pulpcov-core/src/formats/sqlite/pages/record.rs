//! Decoding records, the values of a row (fileformat.html, section 2.1).

use super::{NeedsSqlite, PlainResult};
use crate::data::stored_text::StoredText;

/// A value. Data files have no floating-point numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Value<'a> {
    Null,
    Integer(i64),
    Text(&'a [u8]),
    Blob(&'a [u8]),
}

impl<'a> Value<'a> {
    pub(super) fn integer(self) -> PlainResult<i64> {
        match self {
            Self::Integer(number) => Ok(number),
            _ => Err(NeedsSqlite),
        }
    }

    pub(super) fn text(self) -> PlainResult<&'a [u8]> {
        match self {
            Self::Text(bytes) => Ok(bytes),
            _ => Err(NeedsSqlite),
        }
    }

    /// Returns the value as text that coverage.py can read.
    pub(super) fn stored_text(self) -> PlainResult<StoredText<'a>> {
        StoredText::of_bytes(self.text()?).map_err(|_| NeedsSqlite)
    }

    pub(super) fn blob(self) -> PlainResult<&'a [u8]> {
        match self {
            Self::Blob(bytes) => Ok(bytes),
            _ => Err(NeedsSqlite),
        }
    }

    /// Checks the column that is an alias of the rowid. SQLite stores it as NULL.
    pub(super) fn rowid_alias(self) -> PlainResult<()> {
        match self {
            Self::Null => Ok(()),
            _ => Err(NeedsSqlite),
        }
    }
}

/// Returns the values of a record that has exactly `N` values.
pub(super) fn values<const N: usize>(record: &[u8]) -> PlainResult<[Value<'_>; N]> {
    let mut rest = record;
    let header_len = usize::try_from(varint(&mut rest)?).map_err(|_| NeedsSqlite)?;
    let (header, mut body) = record.split_at_checked(header_len).ok_or(NeedsSqlite)?;
    let mut types = header.get(record.len() - rest.len()..).ok_or(NeedsSqlite)?;
    let mut values = [Value::Null; N];
    for value in &mut values {
        *value = next_value(varint(&mut types)?, &mut body)?;
    }
    if types.is_empty() && body.is_empty() { Ok(values) } else { Err(NeedsSqlite) }
}

/// Returns the numbers of a record that has exactly `N` values, all of them numbers. `N` is at most a dozen.
///
/// Tables of numbers have many rows, so the code avoids branches on the length of a number, which processors
/// predict badly.
#[inline]
pub(super) fn integers<const N: usize>(record: &[u8]) -> PlainResult<[i64; N]> {
    let (&header_len, types) = record.split_first().ok_or(NeedsSqlite)?;
    let types: &[u8; N] = types.first_chunk().ok_or(NeedsSqlite)?;
    let mut end = N + 1;
    if usize::from(header_len) != end {
        return Err(NeedsSqlite);
    }
    let mut numbers = [0; N];
    for (number, &kind) in numbers.iter_mut().zip(types) {
        let len = match kind {
            1..=4 => usize::from(kind),
            5 => 6,
            6 => 8,
            8 | 9 => 0,
            _ => return Err(NeedsSqlite),
        };
        let start = end;
        end += len;
        *number = match end.checked_sub(8).and_then(|from| record.get(from..end)?.first_chunk()) {
            Some(_) if len == 0 => i64::from(kind) - 8,
            // The number is the last of these eight bytes.
            Some(bytes) => shifted_back(i64::from_be_bytes(*bytes) << (64 - 8 * len), len),
            None => {
                let bytes = record.get(start..end).ok_or(NeedsSqlite)?;
                let first = bytes.iter().fold(0, |number, &byte| number << 8 | i64::from(byte));
                match len {
                    0 => i64::from(kind) - 8,
                    _ => shifted_back(first << (64 - 8 * len), len),
                }
            }
        };
    }
    if end == record.len() { Ok(numbers) } else { Err(NeedsSqlite) }
}

/// Returns the number of `len` bytes whose bytes are the most significant ones of `number`.
#[inline]
fn shifted_back(number: i64, len: usize) -> i64 {
    number >> (64 - 8 * len)
}

#[inline]
fn next_value<'a>(serial_type: u64, body: &mut &'a [u8]) -> PlainResult<Value<'a>> {
    Ok(match serial_type {
        0 => Value::Null,
        1 => Value::Integer(i64::from(i8::from_be_bytes(array(body)?))),
        2 => Value::Integer(i64::from(i16::from_be_bytes(array(body)?))),
        3 => Value::Integer(sign_extended::<3>(body)?),
        4 => Value::Integer(i64::from(i32::from_be_bytes(array(body)?))),
        5 => Value::Integer(sign_extended::<6>(body)?),
        6 => Value::Integer(i64::from_be_bytes(array(body)?)),
        8 => Value::Integer(0),
        9 => Value::Integer(1),
        12.. => {
            let len = usize::try_from((serial_type - 12) / 2).map_err(|_| NeedsSqlite)?;
            let bytes = take(body, len)?;
            if serial_type.is_multiple_of(2) { Value::Blob(bytes) } else { Value::Text(bytes) }
        }
        _ => return Err(NeedsSqlite),
    })
}

#[inline]
fn take<'a>(bytes: &mut &'a [u8], len: usize) -> PlainResult<&'a [u8]> {
    let (taken, rest) = bytes.split_at_checked(len).ok_or(NeedsSqlite)?;
    *bytes = rest;
    Ok(taken)
}

#[inline]
fn array<const N: usize>(bytes: &mut &[u8]) -> PlainResult<[u8; N]> {
    let (taken, rest) = bytes.split_first_chunk().ok_or(NeedsSqlite)?;
    *bytes = rest;
    Ok(*taken)
}

#[inline]
fn sign_extended<const N: usize>(bytes: &mut &[u8]) -> PlainResult<i64> {
    let taken: [u8; N] = array(bytes)?;
    let number = taken.iter().fold(0u64, |number, &byte| number << 8 | u64::from(byte));
    let unused = 64 - 8 * N as u32;
    Ok(((number << unused) as i64) >> unused)
}

/// Reads a number of one to nine bytes. The most significant seven bits come first.
#[inline]
pub(super) fn varint(bytes: &mut &[u8]) -> PlainResult<u64> {
    let (number, rest) = match *bytes {
        [a @ 0..0x80, rest @ ..] => (u64::from(*a), rest),
        [a, b @ 0..0x80, rest @ ..] => (u64::from(a & 0x7f) << 7 | u64::from(*b), rest),
        [a, b, c @ 0..0x80, rest @ ..] => {
            let high = u64::from(a & 0x7f) << 14 | u64::from(b & 0x7f) << 7;
            (high | u64::from(*c), rest)
        }
        _ => return long_varint(bytes),
    };
    *bytes = rest;
    Ok(number)
}

fn long_varint(bytes: &mut &[u8]) -> PlainResult<u64> {
    let mut number = 0;
    for _ in 0..8 {
        let [byte] = array(bytes)?;
        number = number << 7 | u64::from(byte & 0x7f);
        if byte < 0x80 {
            return Ok(number);
        }
    }
    let [byte] = array(bytes)?;
    Ok(number << 8 | u64::from(byte))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::encode::{Field, record};
    use super::*;

    /// Decodes the numbers of a record with the general function.
    fn numbers<const N: usize>(record: &[u8]) -> PlainResult<[i64; N]> {
        let mut numbers = [0; N];
        for (number, value) in numbers.iter_mut().zip(values::<N>(record)?) {
            *number = value.integer()?;
        }
        Ok(numbers)
    }

    proptest! {
        #[test]
        fn numbers_are_read_at_once(numbers in any::<[i64; 4]>(), shifts in [0u32..64, 0u32..64, 0u32..64, 0u32..64]) {
            let mut shifted = numbers;
            shifted.iter_mut().zip(shifts).for_each(|(number, shift)| *number >>= shift);
            let mut written = Vec::new();
            record(&mut written, &shifted.map(Field::Integer));
            prop_assert_eq!(integers::<4>(&written).unwrap(), shifted);
            prop_assert!(integers::<3>(&written).is_err() && integers::<5>(&written).is_err());
            prop_assert!((0..written.len()).all(|len| integers::<4>(&written[..len]).is_err()));
        }

        #[test]
        fn nothing_else_is_a_number(types in prop::collection::vec(0u8..16, 2), bytes in prop::collection::vec(any::<u8>(), 0..20)) {
            let record = [&[3], &types[..], &bytes].concat();
            prop_assert_eq!(integers::<2>(&record).ok(), numbers::<2>(&record).ok());
            prop_assert!(integers::<2>(&bytes).is_err() || integers::<2>(&bytes).ok() == numbers::<2>(&bytes).ok());
        }
    }

    #[test]
    fn integers_of_every_width() {
        // SELECT of -1, 200, -70000, 1 << 30, -(1 << 40), 1 << 60, 0, 1, NULL, 'a', x'ff00'.
        let record = [
            &[12, 1, 2, 3, 4, 5, 6, 8, 9, 0, 15, 16][..],
            &[0xff],
            &200i16.to_be_bytes(),
            &(-70_000i32).to_be_bytes()[1..],
            &(1i32 << 30).to_be_bytes(),
            &(-(1i64 << 40)).to_be_bytes()[2..],
            &(1i64 << 60).to_be_bytes(),
            b"a",
            &[0xff, 0],
        ]
        .concat();
        let numbers = [-1, 200, -70_000, 1 << 30, -(1 << 40), 1 << 60, 0, 1].map(Value::Integer);
        let others = [Value::Null, Value::Text(b"a"), Value::Blob(&[0xff, 0])];
        assert_eq!(values::<11>(&record).unwrap().to_vec(), [&numbers[..], &others].concat());
        assert!(values::<10>(&record).is_err() && values::<12>(&record).is_err());
        assert!((0..record.len()).all(|len| values::<11>(&record[..len]).is_err()));
    }

    #[test]
    fn varints_of_every_length() {
        for (bytes, number) in [
            (&[0x7f][..], 127),
            (&[0x81, 0x00], 128),
            (&[0x80, 0x05], 5),
            (&[0xff; 9], u64::MAX),
            (&[0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x07], 7),
        ] {
            let mut rest = bytes;
            assert_eq!((varint(&mut rest).unwrap(), rest.len()), (number, 0));
            assert!(varint(&mut &bytes[..bytes.len() - 1]).is_err());
        }
    }
}
