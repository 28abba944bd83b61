//! Encoding records (fileformat.html, section 2.1).

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

    /// Returns how many bytes the value takes, without its serial type.
    fn len(self) -> usize {
        match self {
            Self::Null | Self::Integer(0 | 1) => 0,
            Self::Integer(number) => bytes_of(number),
            Self::Text(bytes) | Self::Blob(bytes) => bytes.len(),
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

/// Returns how many bytes SQLite uses for a number other than 0 and 1.
fn bytes_of(number: i64) -> usize {
    // The bits of the number, without the leading bits that only repeat the sign.
    let bits = 65 - (number ^ (number >> 63)).leading_zeros();
    match bits.div_ceil(8) {
        5 => 6,
        7 => 8,
        bytes => bytes as usize,
    }
}

/// Replaces the content of `record` by the record of `fields`. There must be at most a dozen fields, so that
/// the length of the record's header takes one byte.
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

/// Returns the length of the record of `fields`. Does not look at the bytes of text and blobs.
pub(super) fn record_len(fields: &[Field<'_>]) -> usize {
    1 + fields.iter().map(|field| varint_len(field.serial_type()) + field.len()).sum::<usize>()
}

/// Appends a number as a varint of one to nine bytes.
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

/// Returns how many bytes [`varint`] appends.
#[inline]
pub(super) fn varint_len(number: u64) -> usize {
    (70 - (number | 1).leading_zeros() as usize) / 7 - usize::from(number >> 63 != 0)
}

/// The length of a buffer that has room for any [`NumberCell`], and for the extra bytes that are written with
/// its last word.
pub(super) const CELL_BUFFER: usize = 40;

/// A cell of a few numbers, as words that are written one after another.
///
/// Every word is written as eight bytes, because a constant length compiles to fast code. The next word
/// overwrites the extra bytes.
pub(super) struct NumberCell([Word; 4]);

impl NumberCell {
    /// Makes the cell of a table row with the columns `keys` and `numbers`.
    #[inline]
    pub(super) fn row(rowid: u64, keys: &Columns, numbers: &Columns) -> Self {
        let mut start = Word::byte(row_len(keys, numbers) as u8);
        start.append(Word::varint(rowid));
        let mut types = Word::byte((1 + keys.types.len + numbers.types.len) as u8);
        types.append(keys.types);
        types.append(numbers.types);
        Self([start, types, keys.values, numbers.values])
    }

    /// Makes the cell of an index entry with the columns `keys`, `numbers` and `last`.
    #[inline]
    pub(super) fn entry(keys: &Columns, numbers: &Columns, last: &Columns) -> Self {
        let types = 1 + keys.types.len + numbers.types.len + last.types.len;
        let values = keys.values.len + numbers.values.len + last.values.len;
        let mut start = Word::byte((types + values) as u8);
        start.append(Word::byte(types as u8));
        start.append(keys.types);
        start.append(numbers.types);
        start.append(last.types);
        Self([start, keys.values, numbers.values, last.values])
    }

    #[inline]
    pub(super) fn len(&self) -> usize {
        self.0.iter().map(|word| word.len).sum()
    }

    /// Writes the cell to the start of `room`. The bytes after the cell are arbitrary.
    #[inline]
    pub(super) fn write_to(&self, room: &mut [u8; CELL_BUFFER]) {
        let mut at = 0;
        for word in &self.0 {
            if let Some(place) = room.get_mut(at..at + 8) {
                place.copy_from_slice(&word.bytes.to_be_bytes());
            }
            at += word.len;
        }
    }

    pub(super) fn to_vec(&self) -> Vec<u8> {
        let mut room = [0; CELL_BUFFER];
        self.write_to(&mut room);
        room.get(..self.len()).unwrap_or_default().to_vec()
    }
}

/// Returns the length of the record of a row with the columns `keys` and `numbers`.
#[inline]
pub(super) fn row_len(keys: &Columns, numbers: &Columns) -> usize {
    1 + [keys, numbers].iter().map(|two| two.types.len + two.values.len).sum::<usize>()
}

/// Returns the length of the record of a row with the columns `keys`, `a` and `b`: at most 21 bytes.
#[inline]
pub(super) fn row_len_of(keys: &Columns, a: i32, b: i32) -> u8 {
    (3 + keys.types.len + keys.values.len) as u8 + len_of(a) + len_of(b)
}

/// Returns how many bytes a number takes; 0 and 1 take none. Has no branches, so that the compiler can
/// measure several numbers at once.
#[inline]
fn len_of(number: i32) -> u8 {
    let positive = number ^ (number >> 31);
    u8::from(number.cast_unsigned() > 1)
        + u8::from(positive >= 1 << 7)
        + u8::from(positive >= 1 << 15)
        + u8::from(positive >= 1 << 23)
}

/// Up to eight bytes. The first one is the most significant byte of `bytes`.
#[derive(Clone, Copy, Default)]
struct Word {
    bytes: u64,
    len: usize,
}

impl Word {
    fn byte(byte: u8) -> Self {
        Self { bytes: u64::from(byte) << 56, len: 1 }
    }

    /// Makes the varint of a number of fewer than 50 bits. Rowids are never longer.
    #[inline]
    fn varint(number: u64) -> Self {
        let len = varint_len(number);
        let mut bytes = number & 0x7f;
        for place in 1..len {
            bytes |= (number >> (7 * place) & 0x7f | 0x80) << (8 * place);
        }
        Self { bytes: bytes << (64 - 8 * len), len }
    }

    /// Appends another word. Both together must not be longer than eight bytes.
    #[inline]
    fn append(&mut self, other: Self) {
        if other.len > 0 {
            self.bytes |= other.bytes >> (8 * self.len);
            self.len += other.len;
        }
    }

    /// Appends the last `len` bytes of a number.
    #[inline]
    fn push(&mut self, number: u64, len: usize) {
        if len > 0 {
            self.append(Self { bytes: number << (64 - 8 * len), len });
        }
    }
}

/// One or two numbers of a record: their serial types and their bytes.
#[derive(Clone, Copy, Default)]
pub(super) struct Columns {
    types: Word,
    values: Word,
}

impl Columns {
    #[inline]
    pub(super) fn two(a: i32, b: i32) -> Self {
        let mut columns = Self::default();
        columns.push(a);
        columns.push(b);
        columns
    }

    #[inline]
    fn push(&mut self, number: i32) {
        // 0 and 1 have serial types of their own. The serial type of any other number of 32 bits is its
        // length.
        let (kind, len) = match number {
            0 => (8, 0),
            1 => (9, 0),
            _ => (len_of(number).into(), len_of(number).into()),
        };
        self.types.push(kind, 1);
        self.values.push(u64::from(number.cast_unsigned()), len);
    }

    /// Makes the column of a rowid.
    pub(super) fn rowid(number: u64) -> Self {
        let field = Field::Integer(number as i64);
        let mut columns = Self::default();
        columns.types.push(field.serial_type(), 1);
        let len = match number {
            0 | 1 => 0,
            _ => bytes_of(number as i64),
        };
        columns.values.push(number, len);
        columns
    }
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

            prop_assert_eq!(varint_len(number as u64), {
                let mut again = Vec::new();
                varint(&mut again, number as u64);
                again.len()
            });

            record(&mut written, &[Field::Integer(number), Field::Text(&bytes), Field::Null, Field::Blob(&bytes)]);
            let fields = [Field::Integer(number), Field::Text(&bytes), Field::Null, Field::Blob(&bytes)];
            prop_assert_eq!(record_len(&fields), written.len());
            let read = values::<4>(&written).unwrap();
            prop_assert_eq!(read, [Value::Integer(number), Value::Text(&bytes), Value::Null, Value::Blob(&bytes)]);
        }
    }

    fn number() -> impl Strategy<Value = i32> {
        (any::<i32>(), 0u32..32).prop_map(|(number, shift)| number >> shift)
    }

    proptest! {
        #[test]
        fn number_cells_are_what_general_ones_would_be(
            numbers in [number(), number(), number(), number()],
            rowid in 0u64..1 << 49,
            shift in 0u32..49,
        ) {
            let rowid = rowid >> shift;
            let [a, b, c, d] = numbers;
            let (keys, others) = (Columns::two(a, b), Columns::two(c, d));
            let mut fields: Vec<_> = numbers.map(|n| Field::Integer(n.into())).into();
            let (mut long, mut cell) = (Vec::new(), Vec::new());

            record(&mut long, &fields);
            prop_assert_eq!(usize::from(row_len_of(&keys, c, d)), long.len());
            varint(&mut cell, long.len() as u64);
            varint(&mut cell, rowid);
            cell.append(&mut long);
            let short = NumberCell::row(rowid, &keys, &others);
            prop_assert_eq!((short.to_vec(), short.len()), (cell.clone(), cell.len()));

            fields.push(Field::Integer(rowid as i64));
            record(&mut long, &fields);
            cell.clear();
            varint(&mut cell, long.len() as u64);
            cell.append(&mut long);
            let short = NumberCell::entry(&keys, &others, &Columns::rowid(rowid));
            prop_assert_eq!((short.to_vec(), short.len()), (cell.clone(), cell.len()));
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
