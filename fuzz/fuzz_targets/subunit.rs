//! Reads streams of packets, cut packets and other bytes. Each whole packet is found, whatever the sizes of reads are, and no byte is
//! lost. The bytes are also read as they are, as a stream of any version.
#![no_main]

use std::io::Read;

use libfuzzer_sys::fuzz_target;
use pulpcov_core::subunit::{Attachments, Decoder, FilePart, MAX_PACKET, Packet, Piece, Version};

fuzz_target!(|bytes: &[u8]| {
    check(bytes);
    check(&stream(bytes));
    let _ = Version::of(bytes);
    files(bytes);
    // What follows an outcome of version 1.
    files(&[&b"test: a\nerror: a [ multipart\n"[..], bytes].concat());
});

/// Makes a stream of the bytes: parts of them become packets, or packets that are cut.
fn stream(mut bytes: &[u8]) -> Vec<u8> {
    let mut stream = Vec::new();
    while let [what, length, rest @ ..] = bytes {
        let (part, rest) = rest.split_at(usize::from(*length).min(rest.len()));
        bytes = rest;
        let name = str::from_utf8(part).ok().filter(|name| !name.contains('\0'));
        let packet = Packet {
            is_runnable: what & 4 != 0,
            is_eof: what & 8 != 0,
            test_id: name.filter(|_| what & 16 != 0),
            tags: name.filter(|_| what & 32 != 0).into_iter().collect(),
            route: (what & 64 != 0).then_some("0"),
            file: Some(FilePart {
                name: name.unwrap_or("f"),
                content: &part.repeat(usize::from(what >> 7) * 40 + 1),
            }),
            ..Packet::default()
        };
        let packet = packet.encode().expect("the packet is small and has no NUL");
        match what & 3 {
            0 => stream.extend(part),
            1 => stream.extend(packet.iter().take(part.len())),
            _ => stream.extend(packet),
        }
    }
    stream
}

fn check(stream: &[u8]) {
    let found = pieces(stream, 1 << 16);
    assert_eq!(found, pieces(stream, 7));
    assert_eq!(found, packets_by_trying(stream));
}

/// Returns the packets of a stream that is read so many bytes at a time.
fn pieces(stream: &[u8], step: usize) -> Vec<&[u8]> {
    let mut decoder = Decoder::new(Steps { stream, step });
    let (mut at, mut packets) = (0, Vec::new());
    while let Some(piece) = decoder.next_piece().expect("memory can be read") {
        let (Piece::Packet { bytes, .. } | Piece::Other(bytes)) = piece;
        let range = at..at + bytes.len();
        assert_eq!(&stream[range.clone()], bytes);
        at = range.end;
        if let Piece::Packet { packet, .. } = piece {
            let again = packet.encode().expect("what was read can be written");
            assert_eq!(Packet::decode(&again).as_ref(), Some(&packet));
            packets.push(&stream[range]);
        }
    }
    assert_eq!(at, stream.len());
    packets
}

/// Returns the packets of a stream, found by reading each checksum.
fn packets_by_trying(stream: &[u8]) -> Vec<&[u8]> {
    let (mut at, mut packets) = (0, Vec::new());
    while at < stream.len() {
        let length = claimed_length(&stream[at..]).filter(|length| at + length <= stream.len());
        let whole =
            length.map(|length| &stream[at..at + length]).filter(|bytes| has_right_checksum(bytes));
        packets.extend(whole.filter(|bytes| Packet::decode(bytes).is_some()));
        at += whole.map_or(1, <[u8]>::len);
    }
    packets
}

fn claimed_length(bytes: &[u8]) -> Option<usize> {
    let [0xb3, high @ 0x20..=0x2f, low, rest @ ..] = bytes else { return None };
    // A status without a test, and a MIME type or an end without a file, are none.
    if high & 8 == 0 && low & 7 != 0 || low & 0x40 == 0 && low & 0x30 != 0 || low & 8 != 0 {
        return None;
    }
    let length = match *rest {
        [a, ..] if a < 0x40 => usize::from(a),
        [a, b, ..] if a < 0x80 => usize::from(a & 0x3f) << 8 | usize::from(b),
        [a, b, c, ..] if a < 0xc0 => {
            usize::from(a & 0x3f) << 16 | usize::from(b) << 8 | usize::from(c)
        }
        _ => return None,
    };
    (8..=MAX_PACKET).contains(&length).then_some(length)
}

/// Computes the checksum bit by bit.
fn has_right_checksum(bytes: &[u8]) -> bool {
    let Some((content, checksum)) = bytes.split_last_chunk() else { return false };
    let mut state = u32::MAX;
    for byte in content {
        state ^= u32::from(*byte);
        for _ in 0..8 {
            state = if state & 1 == 1 { state >> 1 ^ 0xedb8_8320 } else { state >> 1 };
        }
    }
    !state == u32::from_be_bytes(*checksum)
}

fn files(stream: &[u8]) {
    let Ok(files) = Attachments::new(stream) else { return };
    let mut files = files.limit(1 << 16);
    let size: usize = files.by_ref().map_while(Result::ok).map(|file| file.content.len()).sum();
    assert!(size <= stream.len());
    assert!(files.incomplete().iter().all(|file| file.size <= stream.len() as u64));
}

/// A reader that returns a few bytes at a time.
struct Steps<'a> {
    stream: &'a [u8],
    step: usize,
}

impl Read for Steps<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let wanted = self.step.min(buffer.len());
        self.stream.read(&mut buffer[..wanted])
    }
}
