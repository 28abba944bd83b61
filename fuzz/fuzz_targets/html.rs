//! Writes the HTML report for any source code, names and title. The report must show the source
//! code, and nothing in the source code may become markup.
#![no_main]

use std::io::Read;
use std::path::Path;

use arbitrary::Arbitrary;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::read::DeflateDecoder;
use libfuzzer_sys::fuzz_target;
use pulpcov_core::CoverageData;
use pulpcov_core::report::html::{self, Options};
use pulpcov_core::summarize::Summarizer;
use serde_json::Value;

/// The tags that may be in a line's text, besides `mark`.
const TOKENS: [&str; 8] = ["b", "/b", "u", "/u", "i", "/i", "var", "/var"];

#[derive(Debug, Arbitrary)]
struct Input {
    name: String,
    context: String,
    title: String,
    arcs: Vec<(i8, i8)>,
    source: Vec<u8>,
    is_comment: bool,
}

fuzz_target!(|input: Input| {
    let mut data = CoverageData::new();
    let arcs = input.arcs.iter().map(|&(from, to)| (i32::from(from), i32::from(to)));
    if data.add_arcs(input.name.as_str(), &input.context, arcs).is_err() {
        return;
    }
    // Random bytes are rarely Python code, but any bytes can be in comments.
    let source = match input.is_comment {
        true => input
            .source
            .split(|&b| b == b'\n')
            .flat_map(|line| [b"#", line, b"\n"].concat())
            .collect(),
        false => input.source.clone(),
    };
    let sources = |_: &Path| Ok(Some(source.clone()));
    let summarizer = Summarizer::new(&data, &sources);
    let Ok(summary) = summarizer.run() else { return };
    let [file] = summary.files() else { return };

    let options = Options::new().title(&input.title).show_contexts(true);
    let mut page = Vec::new();
    html::write_single_file(&summary, &options, &mut page).expect("a page");
    let page = String::from_utf8(page).expect("UTF-8");
    assert_eq!(page.matches("<script").count(), page.matches("</script>").count());
    assert_eq!(page.matches("<script>").count(), 1);
    let page = inflated(&page);

    let source = summary.source(file).expect("the source");
    let text = source.text();
    let (_, lines) = page.split_once("class=\"src m x p\">").expect("a source page");
    let (lines, _) = lines.split_once("</main>").expect("its end");
    let mut shown = String::new();
    for (at, item) in lines.split("<li id=t").skip(1).enumerate() {
        let (start, item) = item.split_once('>').expect("the end of a tag");
        let number = at + 1;
        assert_eq!(start.split(' ').next(), Some(number.to_string().as_str()));
        let link = format!("<a href=#t{number}>{number}</a>");
        let item = item.strip_prefix(&link).expect("the number of the line");
        shown.push_str(&text_of(item));
        shown.push_str(match start.split(' ').find_map(|part| part.strip_prefix("data-end")) {
            None => "\n",
            Some("=rn") => "\r\n",
            Some("=r") => "\r",
            Some(_) => "",
        });
    }
    // With a codec, the bytes of the text may come from others. What is shown is the source as it is written; Python's text
    // has other line endings.
    if !input.source.windows(6).any(|part| part == b"coding") {
        let mut read = shown.replace("\r\n", "\n").replace('\r', "\n").replace('\x0c', " ");
        if !read.is_empty() && !read.ends_with('\n') {
            read.push('\n');
        }
        assert_eq!(read, text);
    }
});

/// Returns the page with its compressed parts as text, but without its tables, which have to be JSON.
fn inflated(page: &str) -> String {
    let mut parts = page.split("<script ");
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (tag, rest) = part.split_once('>').expect("the end of a tag");
        let (content, rest) = rest.split_once("</script>").expect("the end of a script");
        let content = match tag.ends_with(" data-packed") {
            true => inflate(content),
            false => content.to_owned(),
        };
        match tag.starts_with("type=\"text/plain\"") {
            true => drop(serde_json::from_str::<Value>(&content).expect("JSON")),
            false => text.extend(["<script ", tag, ">", &content, "</script>"]),
        }
        text.push_str(rest);
    }
    text
}

fn inflate(packed: &str) -> String {
    let bytes = STANDARD.decode(packed).expect("base64");
    let mut text = String::new();
    DeflateDecoder::new(bytes.as_slice()).read_to_string(&mut text).expect("DEFLATE of UTF-8");
    text
}

/// Returns the text of a line in the report, without the parts after the text.
fn text_of(item: &str) -> String {
    let ends = ["<details class=why>", "<button class=ctx>", "<span class=ctx>", "</ol>"];
    let end = ends.iter().filter_map(|end| item.find(end)).min().unwrap_or(item.len());
    let mut text = String::new();
    let mut pieces = item[..end].split('<');
    text.push_str(&unescaped(pieces.next().unwrap_or_default()));
    for piece in pieces {
        let (tag, rest) = piece.split_once('>').expect("the end of a tag");
        if let Some(code) = tag.strip_prefix("mark data-c=\"U+") {
            let code = u32::from_str_radix(code.trim_end_matches('"'), 16).expect("a number");
            text.push(char::from_u32(code).expect("a character"));
        } else {
            assert!(tag == "/mark" || TOKENS.contains(&tag), "{tag}");
        }
        text.push_str(&unescaped(rest));
    }
    text
}

fn unescaped(text: &str) -> String {
    let text = text.replace("&lt;", "<");
    assert_eq!(text.matches('&').count(), text.matches("&amp;").count());
    text.replace("&amp;", "&")
}
