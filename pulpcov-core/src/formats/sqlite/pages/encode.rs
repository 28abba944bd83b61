//! Records as bytes (fileformat.html, section 2.1).

/// A value to write.
#[derive(Clone, Copy)]
pub(super) enum Field<'a> {
    Null,
    Integer(i64),
    Text(&'a [u8]),
    Blob(&'a [u8]),
}

impl Field<'_> {
    fn serial_type(self) -> u64 {
        match self {
            Self::Null => 0,
            Self::Integer(0) => 8,
            Self::Integer(1) => 9,
            Self::Integer(number) => match bytes_of(number) {
                6 => 5,
                8 => 6,
                bytes => bytes as u64,
            },
            Self::Text(text) => text.len() as u64 * 2 + 13,
            Self::Blob(blob) => blob.len() as u64 * 2 + 12,
        }
    }

    fn put(self, to: &mut Vec<u8>) {
        match self {
            Self::Null | Self::Integer(0 | 1) => {}
            Self::Integer(number) => {
                let bytes = number.to_be_bytes();
                to.extend_from_slice(bytes.get(8 - bytes_of(number)..).unwrap_or_default());
            }
            Self::Text(bytes) | Self::Blob(bytes) => to.extend_from_slice(bytes),
        }
    }
}

/// How many bytes SQLite takes for a number other than 0 and 1.
fn bytes_of(number: i64) -> usize {
    // The bits but for those in front that are all like the sign.
    let bits = 65 - (number ^ (number >> 63)).leading_zeros();
    match bits.div_ceil(8) {
        5 => 6,
        7 => 8,
        bytes => bytes as usize,
    }
}

/// Replace what is in `record` by the record of some values: not more than a dozen, so that the
/// header's length takes one byte.
pub(super) fn record(record: &mut Vec<u8>, fields: &[Field<'_>]) {
    record.clear();
    record.push(0);
    fields.iter().for_each(|field| varint(record, field.serial_type()));
    let header = record.len();
    if let Some(len) = record.first_mut() {
        *len = header as u8;
    }
    fields.iter().for_each(|field| field.put(record));
}

/// Add a number of one to nine bytes.
pub(super) fn varint(to: &mut Vec<u8>, number: u64) {
    if number < 0x80 {
        to.push(number as u8);
        return;
    }
    if number >> 56 != 0 {
        (0..8).rev().for_each(|place| to.push((number >> (7 * place + 8)) as u8 | 0x80));
        to.push(number as u8);
        return;
    }
    let bits = 64 - number.leading_zeros();
    for place in (1..bits.div_ceil(7)).rev() {
        to.push((number >> (7 * place)) as u8 | 0x80);
    }
    to.push(number as u8 & 0x7f);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::record::{Value, values, varint as read_varint};
    use super::*;

    proptest! {
        #[test]
        fn what_is_written_is_read(number in any::<i64>(), shift in 0u32..64, bytes in any::<Vec<u8>>()) {
            let number = number >> shift;
            let mut written = Vec::new();
            varint(&mut written, number as u64);
            prop_assert_eq!(read_varint(&mut written.as_slice()).unwrap(), number as u64);

            record(&mut written, &[Field::Integer(number), Field::Text(&bytes), Field::Null, Field::Blob(&bytes)]);
            let read = values::<4>(&written).unwrap();
            prop_assert_eq!(read, [Value::Integer(number), Value::Text(&bytes), Value::Null, Value::Blob(&bytes)]);
        }
    }

    #[test]
    fn integers_take_as_few_bytes_as_in_sqlite() {
        let of = |number| Field::Integer(number).serial_type();
        assert_eq!([0, 1, 2, 127, -128, 128, -129].map(of), [8, 9, 1, 1, 1, 2, 2]);
        assert_eq!([32_767, 32_768, 8_388_607, 8_388_608].map(of), [2, 3, 3, 4]);
        assert_eq!(
            [i64::from(i32::MIN), 1 << 31, (1 << 47) - 1, 1 << 47, i64::MIN].map(of),
            [4, 5, 5, 6, 6]
        );
    }
}
