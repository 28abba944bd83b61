//! The report as a folder, in which only files that changed are written again.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::mem;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::assets::{LIVE, SCRIPT, STYLE, asset_name};
use super::contexts::{ContextCounts, LineContexts};
use super::fingerprint::{Inputs, hash_of, hash_of_content};
use super::page_text::PageText;
use super::pages::{Page, Report};
use super::payload::{json, line_contexts, script, tables};
use super::search_text::{self, Texts};
use super::source::push_lines;
use super::views::{self, Frame, Part};
use crate::output::replace;
use crate::{Error, Result};

const STATUS_FILE: &str = "status.json";
/// The file that live pages poll.
const LIVE_DATA: &str = "live.data.js";
const STATUS_FORMAT: u32 = 1;
const STATUS_NOTE: &str =
    "This file is an internal detail of the HTML report: it says what need not be written again.";
const GITIGNORE: &str = "# Created by pulpcov\n*\n";

/// The files of an earlier report, each with a hash of what it was made from.
#[derive(Serialize, Deserialize, Default)]
struct Status {
    note: String,
    format: u32,
    /// A hash of what all pages depend on.
    globals: String,
    files: BTreeMap<String, String>,
}

pub(super) fn write(report: &Report<'_>, path: &Path) -> Result<()> {
    let unwritable = |err| Error::from(err).with_path(path);
    fs::create_dir_all(path).map_err(unwritable)?;
    let is_new = fs::read_dir(path).map_err(unwritable)?.next().is_none();
    let folder = Folder::new(report, path);
    if is_new {
        folder.write_file(".gitignore", GITIGNORE.as_bytes())?;
    }
    let mut files = BTreeMap::new();
    folder.write_assets(&mut files)?;
    let pages = folder.write_pages()?;
    folder.write_texts(&pages, &mut files)?;
    folder.write_tables(&pages, &mut files)?;
    for view in report.views() {
        folder.write_part(views::view(report, view, true)?, &mut files)?;
    }
    files.extend(pages.into_iter().flat_map(|page| page.files));
    folder.remove_what_is_gone(&files);
    folder.finish(files)
}

struct Folder<'a> {
    report: &'a Report<'a>,
    path: &'a Path,
    style: String,
    extra_style: Option<String>,
    script: String,
    live: Option<String>,
    globals: String,
    old: Status,
}

/// Buffers that one page after another is built in.
#[derive(Default)]
struct Scratch {
    lines: String,
    body: String,
    page: String,
}

/// What is kept of a page after it was written.
struct WrittenPage {
    files: Vec<(String, String)>,
    text: String,
    hash: String,
    context_counts: Vec<ContextCounts>,
}

impl<'a> Folder<'a> {
    fn new(report: &'a Report<'a>, path: &'a Path) -> Self {
        let extra_css = report.options.extra_css.as_deref();
        let mut folder = Self {
            report,
            path,
            style: asset_name("report", STYLE.as_bytes(), "css"),
            extra_style: extra_css.map(|css| asset_name("extra", css, "css")),
            script: asset_name("report", SCRIPT.as_bytes(), "js"),
            live: report.options.live.then(|| asset_name("live", LIVE.as_bytes(), "js")),
            globals: String::new(),
            old: Status::default(),
        };
        folder.globals = hash_of([
            env!("CARGO_PKG_VERSION"),
            include_str!("../../templates/head.html"),
            include_str!("../../templates/nav.html"),
            include_str!("../../templates/page.html"),
            include_str!("../../templates/source.html"),
            &folder.style,
            folder.extra_style.as_deref().unwrap_or_default(),
            &folder.script,
            folder.live.as_deref().unwrap_or_default(),
            &format!(
                "{:?} {} {} {} {:?}",
                report.options.precision,
                report.has_contexts(),
                report.has_changes(),
                report.summary.has_arcs(),
                report.options.source_url,
            ),
        ]);
        folder.old = folder.read_status().unwrap_or_default();
        // `finish` writes a new status file. If the report fails before that, the old one would be
        // wrong.
        let _ = fs::remove_file(path.join(STATUS_FILE));
        folder
    }

    fn read_status(&self) -> Option<Status> {
        let bytes = fs::read(self.path.join(STATUS_FILE)).ok()?;
        let mut status: Status = serde_json::from_slice(&bytes).ok()?;
        if status.format != STATUS_FORMAT {
            return None;
        }
        if status.globals != self.globals {
            // Every file has to be written again, but the names are still needed to remove old
            // files.
            status.files.values_mut().for_each(String::clear);
        }
        Some(status)
    }

    /// Returns whether the file exists, and has this hash in the status of the earlier report.
    fn is_there(&self, name: &str, hash: &str) -> bool {
        self.old.files.get(name).is_some_and(|old| old == hash) && self.path.join(name).is_file()
    }

    fn write_file(&self, name: &str, content: &[u8]) -> Result<()> {
        let path = self.path.join(name);
        replace(&path, content).map_err(|err| Error::from(err).with_path(path))
    }

    /// Writes a file unless the folder already has it with the same content.
    fn write_if_changed(
        &self,
        name: String,
        content: &[u8],
        files: &mut BTreeMap<String, String>,
    ) -> Result<()> {
        let hash = hash_of_content(content);
        if !self.is_there(&name, &hash) {
            self.write_file(&name, content)?;
        }
        files.insert(name, hash);
        Ok(())
    }

    fn write_assets(&self, files: &mut BTreeMap<String, String>) -> Result<()> {
        self.write_if_changed(self.style.clone(), STYLE.as_bytes(), files)?;
        self.write_if_changed(self.script.clone(), SCRIPT.as_bytes(), files)?;
        if let Some(name) = &self.live {
            self.write_if_changed(name.clone(), LIVE.as_bytes(), files)?;
        }
        if let (Some(name), Some(css)) = (&self.extra_style, &self.report.options.extra_css) {
            self.write_if_changed(name.clone(), css, files)?;
        }
        Ok(())
    }

    fn write_pages(&self) -> Result<Vec<WrittenPage>> {
        use rayon::prelude::*;
        let pages = self.report.pages.par_iter().enumerate();
        pages
            .map_init(Scratch::default, |into, (at, page)| self.write_page(at, page, into))
            .collect()
    }

    fn write_page(&self, at: usize, page: &Page<'_>, into: &mut Scratch) -> Result<WrittenPage> {
        let report = self.report;
        let text = PageText::read(report.summary, page.file)?;
        let contexts = line_contexts(report, page);
        let encoded = match &contexts {
            Some(contexts) => Some(script(&format!("ctx.{}", page.name), &contexts.encode())?),
            None => None,
        };
        let hash =
            self.hash_of_page(at, page, text.written(), encoded.as_deref().unwrap_or_default());
        let mut files = vec![(format!("{}.html", page.name), hash.clone())];
        if encoded.is_some() {
            files.push((format!("ctx.{}.js", page.name), hash.clone()));
        }
        if !files.iter().all(|(name, hash)| self.is_there(name, hash)) {
            into.lines.clear();
            push_lines(&mut into.lines, page, &text, contexts.as_ref());
            if let Some(part) = views::source(report, at, &into.lines, mem::take(&mut into.body))? {
                into.page.clear();
                self.render(&part, &mut into.page)?;
                self.write_file(&format!("{}.html", part.name), into.page.as_bytes())?;
                into.body = part.body;
            }
            if let Some(encoded) = encoded {
                self.write_file(&format!("ctx.{}.js", page.name), encoded.as_bytes())?;
            }
        }
        let context_counts = contexts.iter().flat_map(LineContexts::context_counts).collect();
        Ok(WrittenPage { files, text: text.into_text(), hash, context_counts })
    }

    /// Returns a hash of everything a page is made from, except for what all pages depend on.
    fn hash_of_page(&self, at: usize, page: &Page<'_>, text: &str, contexts: &str) -> String {
        let (previous, next) = self.report.neighbours(at);
        let analysis = page.analysis;
        let mut hasher = Inputs::default();
        [text, &page.shown, previous, next, contexts].iter().for_each(|text| hasher.add(text));
        for lines in [analysis.statements(), analysis.missing(), analysis.excluded()] {
            hasher.add_numbers(lines.iter().copied());
        }
        hasher.add_numbers(page.changed_lines().iter().copied());
        for differing in page.before.iter().flat_map(|before| [&before.lost, &before.won]) {
            hasher.add_numbers(differing.lines.iter().copied());
            hasher.add_numbers(differing.branches.iter().flat_map(|&(from, to)| [from, to]));
        }
        hasher.add(&format!("{:?}", page.before.map(|before| before.numbers)));
        let counted = format!("{:?}", analysis.counted_branches());
        hasher.add(&counted);
        let arcs = analysis.missing_branch_arcs();
        hasher.add_numbers(arcs.iter().flat_map(|&(from, to)| [from, to]));
        hasher.add(&format!("{:?} {:?}", page.file.numbers(), page.judged));
        hasher.finish()
    }

    /// Appends a page as a complete HTML document.
    fn render(&self, part: &Part, into: &mut String) -> Result<()> {
        let frame = Frame {
            title: &part.title,
            view: part.view,
            style: &self.style,
            extra_style: self.extra_style.as_deref(),
            script: &self.script,
            live: self.live.as_deref(),
            body: &part.body,
        };
        views::render_into(&frame, into)
    }

    fn write_part(&self, part: Part, files: &mut BTreeMap<String, String>) -> Result<()> {
        let mut page = String::new();
        self.render(&part, &mut page)?;
        self.write_if_changed(format!("{}.html", part.name), page.as_bytes(), files)
    }

    /// Writes the source text for the search. Each text file holds several sources, and is written
    /// again only if one of them changed.
    fn write_texts(
        &self,
        pages: &[WrittenPage],
        files: &mut BTreeMap<String, String>,
    ) -> Result<()> {
        let count = search_text::count(&self.report.pages);
        let mut shards: Vec<Vec<(&str, &WrittenPage)>> = vec![Vec::new(); count];
        for (page, written) in self.report.pages.iter().zip(pages) {
            if let Some(shard) = shards.get_mut(search_text::place(&page.name, count)) {
                shard.push((&page.name, written));
            }
        }
        for (at, shard) in shards.iter().enumerate() {
            let name = format!("text{at}");
            let file = format!("data.{name}.js");
            let hash = hash_of(shard.iter().flat_map(|(name, page)| [*name, &page.hash]));
            if !self.is_there(&file, &hash) {
                let texts = shard.iter().map(|(name, page)| (*name, page.text.as_str())).collect();
                self.write_file(&file, script(&name, &Texts(texts))?.as_bytes())?;
            }
            files.insert(file, hash);
        }
        Ok(())
    }

    fn write_tables(
        &self,
        pages: &[WrittenPage],
        files: &mut BTreeMap<String, String>,
    ) -> Result<()> {
        let counts: Vec<&[ContextCounts]> =
            pages.iter().map(|page| page.context_counts.as_slice()).collect();
        for (name, content) in tables(self.report, &counts)? {
            let content = format!("pulpcov(\"{name}\",{content})\n");
            self.write_if_changed(format!("data.{name}.js"), content.as_bytes(), files)?;
        }
        Ok(())
    }

    /// Removes files that the earlier report wrote and this report did not.
    fn remove_what_is_gone(&self, files: &BTreeMap<String, String>) {
        for name in self.old.files.keys().filter(|name| !files.contains_key(*name)) {
            // Anyone may have edited the status file, so check the names in it.
            let is_ours = name.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
                && [".html", ".js", ".css"].iter().any(|end| name.ends_with(end));
            if is_ours {
                // If the file cannot be removed, a stale page remains, which does no harm.
                let _ = fs::remove_file(self.path.join(name));
            }
        }
    }

    fn finish(&self, mut files: BTreeMap<String, String>) -> Result<()> {
        if self.live.is_some() {
            // Written last: when a live page reloads because of this file, the new pages are
            // already there.
            let stamp = hash_of(files.iter().flat_map(|(name, hash)| [name.as_str(), hash]));
            let data = json(&[&stamp, &self.report.options.timestamp])?;
            self.write_file(LIVE_DATA, format!("pulpcovLive(...{data})\n").as_bytes())?;
            files.insert(LIVE_DATA.to_owned(), stamp);
        }
        let status = Status {
            note: STATUS_NOTE.to_owned(),
            format: STATUS_FORMAT,
            globals: self.globals.clone(),
            files,
        };
        let json = serde_json::to_vec(&status).map_err(io::Error::from)?;
        self.write_file(STATUS_FILE, &json)
    }
}
