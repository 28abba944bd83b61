//! The report as one page, which contains all other pages as text. The script creates the elements
//! of a page when the page is shown.
//!
//! A browser skips text much faster than `<template>` elements, whose content it parses. Sources, changes and data are compressed,
//! because a browser takes seconds to skip a hundred megabytes.

use std::io::{BufWriter, Write};

use askama::Template;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use super::assets::{SCRIPT, STYLE};
use super::compressed::compressed;
use super::contexts::{ContextCounts, LineContexts};
use super::page_text::PageText;
use super::pages::Report;
use super::payload::{json, line_contexts, tables};
use super::source::push_lines;
use super::views::{self, Part, Single};
use crate::Result;

/// The parts of the report that come from one source file.
struct Piece {
    page: Option<Part>,
    contexts: Option<(String, String)>,
    context_counts: Vec<ContextCounts>,
}

pub(super) fn write(report: &Report<'_>, out: impl Write) -> Result<()> {
    let pieces = pieces(report)?;
    let counts: Vec<&[ContextCounts]> =
        pieces.iter().map(|piece| piece.context_counts.as_slice()).collect();
    let tables = tables(report, &counts)?;
    let mut data = Vec::new();
    for (name, json) in tables {
        data.push((name.to_owned(), compressed(&json)?));
    }
    let mut pages = Vec::new();
    for view in report.views() {
        let part = views::view(report, view, false)?;
        pages.push(if view == "patch" { packed(part)? } else { part });
    }
    for piece in pieces {
        pages.extend(piece.page);
        data.extend(piece.contexts);
    }
    let extra = report.options.extra_css.as_deref().map(String::from_utf8_lossy);
    // `</style` ends the element even inside a CSS string or comment.
    let extra = extra.map(|css| css.replace("</", "<\\/"));
    let styles: Vec<String> = [STYLE.to_owned()].into_iter().chain(extra).collect();
    let page = Single {
        title: &report.title,
        style_hashes: styles.iter().map(|style| csp_hash(style)).collect(),
        styles,
        script: SCRIPT,
        script_hash: csp_hash(SCRIPT),
        data,
        pages,
    };
    // Written piece by piece, so that memory does not hold the long page a second time.
    let mut out = BufWriter::with_capacity(1 << 16, out);
    page.write_into(&mut out)?;
    Ok(out.flush()?)
}

fn pieces(report: &Report<'_>) -> Result<Vec<Piece>> {
    use rayon::prelude::*;
    (0..report.pages.len()).into_par_iter().map(|at| piece(report, at)).collect()
}

fn piece(report: &Report<'_>, at: usize) -> Result<Piece> {
    let Some(page) = report.pages.get(at) else {
        return Ok(Piece { page: None, contexts: None, context_counts: Vec::new() });
    };
    let text = PageText::read(report.summary, page.file)?;
    let contexts = line_contexts(report, page);
    let mut lines = String::new();
    push_lines(&mut lines, page, &text, contexts.as_ref());
    let encoded = match &contexts {
        Some(contexts) => {
            Some((format!("ctx.{}", page.name), compressed(&json(&contexts.encode())?)?))
        }
        None => None,
    };
    let context_counts = contexts.iter().flat_map(LineContexts::context_counts).collect();
    Ok(Piece {
        page: views::source(report, at, &lines, String::new())?.map(packed).transpose()?,
        contexts: encoded,
        context_counts,
    })
}

/// Returns a page whose body is compressed.
fn packed(part: Part) -> Result<Part> {
    Ok(Part { body: compressed(&part.body)?, is_packed: true, ..part })
}

/// Returns a hash of a script or a style sheet as a Content-Security-Policy expects it:
/// `sha256-...`.
fn csp_hash(text: &str) -> String {
    format!("sha256-{}", STANDARD.encode(Sha256::digest(text.as_bytes())))
}
