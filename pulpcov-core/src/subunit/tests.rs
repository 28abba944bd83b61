//! Tests of streams that are cut, mixed and forged.

use std::io::{self, Read};

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::*;
use crate::ErrorKind;

/// A reader that returns one byte at a time, or as many as `step`.
struct Slow<'a> {
    bytes: &'a [u8],
    step: usize,
}

impl Read for Slow<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let wanted = self.step.min(buffer.len()).min(self.bytes.len());
        self.bytes.read(&mut buffer[..wanted])
    }
}

/// A packet with its own texts.
#[derive(Clone, Debug)]
struct Owned {
    status: Option<Status>,
    is_runnable: bool,
    timestamp: Option<(u32, u32)>,
    test_id: Option<String>,
    tags: Vec<String>,
    mime_type: Option<String>,
    file: Option<(String, Vec<u8>)>,
    is_eof: bool,
    route: Option<String>,
}

impl Owned {
    fn borrowed(&self) -> Packet<'_> {
        Packet {
            status: self.status,
            is_runnable: self.is_runnable,
            timestamp: self
                .timestamp
                .map(|(seconds, nanoseconds)| Timestamp { seconds, nanoseconds }),
            test_id: self.test_id.as_deref(),
            tags: self.tags.iter().map(String::as_str).collect(),
            mime_type: self.mime_type.as_deref(),
            file: self.file.as_ref().map(|(name, content)| FilePart { name, content }),
            is_eof: self.is_eof,
            route: self.route.as_deref(),
        }
    }

    fn bytes(&self) -> Vec<u8> {
        self.borrowed().encode().unwrap()
    }
}

prop_compose! {
    fn packet()(
        status in option::of(prop::sample::select(vec![
            Status::Exists, Status::InProgress, Status::Success, Status::UnexpectedSuccess, Status::Skipped,
            Status::Failed, Status::ExpectedFailure,
        ])),
        is_runnable: bool,
        timestamp in option::of((any::<u32>(), 0..1_000_000_000_u32)),
        test_id in option::of("[^\0]{0,70}"),
        tags in vec("[^\0]{0,5}", 0..3),
        mime_type in option::of("text/plain|application/octet-stream"),
        file in option::of(("[^\0]{0,9}", vec(any::<u8>(), 0..20_000))),
        is_eof: bool,
        route in option::of("[0-9/]{0,5}"),
    ) -> Owned {
        let (is_eof, mime_type) = (is_eof && file.is_some(), mime_type.filter(|_| file.is_some()));
        let status = status.filter(|_| test_id.is_some());
        Owned { status, is_runnable, timestamp, test_id, tags, mime_type, file, is_eof, route }
    }
}

/// Returns the bytes of the packets of a stream, and all other bytes. Checks that no byte is lost.
fn split(stream: &[u8], step: usize) -> (Vec<Vec<u8>>, Vec<u8>) {
    let mut decoder = Decoder::new(Slow { bytes: stream, step });
    let (mut packets, mut others, mut all) = (Vec::new(), Vec::new(), Vec::new());
    while let Some(piece) = decoder.next_piece().unwrap() {
        match piece {
            Piece::Packet { bytes, packet } => {
                assert_eq!(Packet::decode(bytes), Some(packet));
                packets.push(bytes.to_vec());
                all.extend_from_slice(bytes);
            }
            Piece::Other(bytes) => {
                assert!(!bytes.is_empty());
                others.extend_from_slice(bytes);
                all.extend_from_slice(bytes);
            }
        }
    }
    assert!(all == stream, "bytes are lost");
    (packets, others)
}

proptest! {
    #[test]
    fn a_packet_is_decoded_as_it_was_encoded(packet in packet()) {
        let bytes = packet.bytes();
        prop_assert_eq!(Packet::decode(&bytes), Some(packet.borrowed()));
        prop_assert_eq!(split(&bytes, 1), (vec![bytes], Vec::new()));
    }

    #[test]
    fn packets_are_found_in_text(parts in vec((packet(), ".{0,30}|[³óà ]{0,9}"), 1..5), step in 1..5000_usize) {
        let (mut stream, mut packets, mut text) = (Vec::new(), Vec::new(), Vec::new());
        for (packet, after) in &parts {
            stream.extend(packet.bytes());
            packets.push(packet.bytes());
            stream.extend(after.bytes());
            text.extend(after.bytes());
        }
        prop_assert_eq!(split(&stream, step), (packets, text));
    }

    #[test]
    fn whole_packets_are_found_between_cut_ones(
        packets in vec(packet(), 1..4), cut in packet(), at: prop::sample::Index, step in 1..5000_usize,
    ) {
        let cut = cut.bytes();
        let cut = &cut[..at.index(cut.len())];
        let whole: Vec<_> = packets.iter().map(Owned::bytes).collect();
        let stream: Vec<u8> = whole.iter().flat_map(|packet| [cut, packet]).flatten().copied().collect();
        let (found, _) = split(&stream, step);
        prop_assert_eq!(found, whole);
    }

    #[test]
    fn any_bytes_come_out(stream in vec(prop::sample::select(b"\xb3\xb3\x20\x2b\x00\x08\x40\x01x".to_vec()), 0..300)) {
        split(&stream, 7);
    }
}

#[test]
fn a_packet_of_the_largest_length_is_read_and_no_longer_one_is_written() {
    let content = vec![7; MAX_PACKET - 20];
    let packet =
        |content| Packet { file: Some(FilePart { name: "f", content }), ..Packet::default() };
    let bytes = packet(&content[7..]).encode().unwrap();
    assert_eq!(bytes.len(), MAX_PACKET - 12);
    assert_eq!(split(&bytes, 1 << 16), (vec![bytes], Vec::new()));
    let longest = vec![7; MAX_PACKET - 15];
    assert_eq!(packet(&longest).encode().unwrap().len(), MAX_PACKET);
    let too_long = vec![7; MAX_PACKET - 14];
    assert_eq!(packet(&too_long).encode().unwrap_err().kind(), ErrorKind::TooLarge);
}

#[test]
fn what_no_reader_takes_is_not_written() {
    for packet in [
        Packet { test_id: Some("a\0b"), ..Packet::default() },
        Packet { status: Some(Status::Failed), ..Packet::default() },
        Packet { is_eof: true, ..Packet::default() },
        Packet { mime_type: Some("text/plain"), ..Packet::default() },
    ] {
        assert_eq!(packet.encode().unwrap_err().kind(), ErrorKind::NotRepresentable);
    }
}

/// To read what each of a million signatures claims would take the square of the time: minutes.
#[test]
fn overlapping_claims_take_linear_time() {
    let claim =
        Packet { file: Some(FilePart { name: "", content: &[0; 1 << 20] }), ..Packet::default() };
    let head = &claim.encode().unwrap()[..10];
    assert_eq!(head.len(), 10);
    let stream = head.repeat(400_000);
    let (packets, others) = split(&stream, 1 << 16);
    assert_eq!((packets.len(), others.len()), (0, stream.len()));
}

/// Text must not wait for the end of a packet that was never one.
#[test]
fn text_with_false_signatures_comes_out_as_it_is_read() {
    for text in [
        "1 m³ is much",
        "não só\n",
        "0 ³: no\n",
        "³  ³: ³\0",
        "só uma",
        "só ³ ³, só. E",
        "(1) ó 0 ",
    ] {
        let mut decoder = Decoder::new(Chain { first: text.as_bytes() });
        let mut seen = Vec::new();
        while seen.len() < text.len() {
            match decoder.next_piece().unwrap() {
                Some(Piece::Other(bytes)) => seen.extend_from_slice(bytes),
                other => panic!("{text}: {other:?}"),
            }
        }
        assert_eq!(seen, text.as_bytes());
    }
}

/// A reader whose end must not be asked for.
struct Chain<'a> {
    first: &'a [u8],
}

impl Read for Chain<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        assert!(!self.first.is_empty(), "more was read than is known to come");
        self.first.read(buffer)
    }
}

const DATA: &[u8] = b"SQLite format 3\0";

fn file(name: &'static str, content: &'static [u8], is_last: bool) -> Chunk<'static> {
    Chunk { route: None, test_id: None, name, content, is_last }
}

#[test]
fn a_file_that_begins_again_is_incomplete_and_complete() {
    let mut files = Collector::new();
    assert_eq!(files.add(&file("a", DATA, false)).unwrap(), Part::Data);
    let Part::Complete(second) = files.add(&file("a", DATA, true)).unwrap() else { panic!() };
    assert_eq!(second.content, DATA);
    assert_eq!(files.incomplete(), [Incomplete { id: second.id, size: 16 }]);
}

#[test]
fn files_that_are_no_data_take_no_memory_and_are_not_reported() {
    let mut files = Collector::new().limit(1000);
    for _ in 0..100 {
        assert_eq!(files.add(&file("log", b"xyz", false)).unwrap(), Part::Other);
    }
    assert_eq!(files.add(&file("log", DATA, false)).unwrap(), Part::Other);
    assert_eq!(files.add(&file("log", b"", true)).unwrap(), Part::Other);
    assert_eq!(files.add(&file("short", b"x", true)).unwrap(), Part::Other);
    assert_eq!(files.incomplete(), []);
}

#[test]
fn files_that_never_end_reach_the_limit() {
    let mut files = Collector::new().limit(1000);
    files.add(&file("a", DATA, false)).unwrap();
    let err = (0..100).find_map(|_| files.add(&file("a", &[1; 100], false)).err()).unwrap();
    assert_eq!(err.kind(), ErrorKind::TooLarge);
    assert!(err.to_string().contains("when a goes on"), "{err}");
}

#[test]
fn files_of_v1_are_read_across_chunks_and_cuts() {
    let stream = b"time: 2026-11-30 19:00:00.000000Z\ntags: worker-0\ntest: a.b\nsome text\n\
        successful: a.b [ multipart\nContent-Type: application/octet-stream\ncov\n\
        10\r\nSQLite format 3\x003\r\nx\n]0\r\nContent-Type: text/plain;charset=utf8\nlog\n0\r\n]\n\
        failure: c [\ntraceback\n]\n\
        error: d [ multipart\nContent-Type: a/b\ncut\nFF\r\nSQLite format 3\0";
    for end in 0..stream.len() {
        let mut files = Attachments::new(&stream[..end]).unwrap();
        let found: Vec<_> = files.by_ref().map_while(Result::ok).collect();
        // The length of zero after the content is its end.
        let whole = stream.windows(5).position(|bytes| bytes == b"]0\r\nC").unwrap() + 4;
        assert_eq!(found.len(), usize::from(end >= whole), "{end}");
        if let [file] = &*found {
            assert_eq!(file.content, b"SQLite format 3\0x\n]");
            assert_eq!(file.id.test_id.as_deref(), Some("a.b"));
            assert_eq!(file.id.name, "cov");
        }
    }
    let mut files = Attachments::new(&stream[..]).unwrap();
    assert_eq!(files.by_ref().count(), 1);
    let cut = files.incomplete();
    assert_eq!((cut.len(), cut[0].id.to_string().as_str(), cut[0].size), (1, "cut of d", 16));
}

#[test]
fn a_stream_is_told_from_other_files() {
    let packet = Packet { test_id: Some("a"), ..Packet::default() }.encode().unwrap();
    let large =
        Packet { file: Some(FilePart { name: "f", content: &[1; 9000] }), ..Packet::default() };
    let large = large.encode().unwrap();
    for (head, version) in [
        (&packet[..], Some(Version::V2)),
        (&large[..512], Some(Version::V2)),
        (&[b"text\n", &large[..400]].concat(), Some(Version::V2)),
        (&[b"text", &packet[..]].concat(), Some(Version::V2)),
        (&[b"text", &large[..400]].concat(), None),
        (b"time: 2026-11-30 19:00:00.000000Z\n", Some(Version::V1)),
        (b"tags: worker-1\n", Some(Version::V1)),
        (b"progress: +4\n", Some(Version::V1)),
        (b"time: 12 s\n", None),
        (b"progress: 70%\n", None),
        (b"testing the waters\n", None),
        ("ó ³ a\n³ b".as_bytes(), None),
        (b"", None),
        (DATA, None),
    ] {
        assert_eq!(Version::of(head), version, "{}", String::from_utf8_lossy(head));
    }
}
