//! The report as a folder, of which only what changed is written.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::mem;
use std::path::Path;

use serde::{Deserialize, Serialize};

use super::assets::{LIVE, SCRIPT, STYLE, asset_name};
use super::contexts::{LineContexts, Run, push_number};
use super::escape;
use super::pages::{Page, Report, VIEWS};
use super::source::push_lines;
use super::tables::{Files, Regions};
use super::texts::{self, Texts};
use super::views::{self, Frame, Part};
use crate::output::replace;
use crate::python::RegionKind;
use crate::{Error, Result};

const STATUS_FILE: &str = "status.json";
/// What live pages look at.
const LIVE_DATA: &str = "live.data.js";
const STATUS_FORMAT: u32 = 1;
const STATUS_NOTE: &str =
    "This file is an internal detail of the HTML report: it says what need not be written again.";
const GITIGNORE: &str = "# Created by pulpcov\n*\n";

/// What an earlier report left: its files, and a hash of what each was made of.
#[derive(Serialize, Deserialize, Default)]
struct Status {
    note: String,
    format: u32,
    /// Of what goes into every page.
    globals: String,
    files: BTreeMap<String, String>,
}

pub(super) fn write(report: &Report<'_>, path: &Path) -> Result<()> {
    let unwritable = |err| Error::from(err).with_path(path);
    fs::create_dir_all(path).map_err(unwritable)?;
    let is_new = fs::read_dir(path).map_err(unwritable)?.next().is_none();
    let folder = Folder::new(report, path);
    if is_new {
        folder.put(".gitignore", GITIGNORE.as_bytes())?;
    }
    let mut files = BTreeMap::new();
    folder.write_assets(&mut files)?;
    let pages = folder.write_pages()?;
    folder.write_texts(&pages, &mut files)?;
    folder.write_tables(&pages, &mut files)?;
    for view in VIEWS {
        if view != "contexts" || report.has_contexts() {
            folder.write_part(views::view(report, view)?, &mut files)?;
        }
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

/// What pages are made in, one after the other.
#[derive(Default)]
struct Scratch {
    lines: String,
    body: String,
    page: String,
}

/// What is left of a page when it is written.
struct Written {
    files: Vec<(String, String)>,
    text: String,
    hash: String,
    runs: Vec<Run>,
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
                "{:?} {} {}",
                report.options.precision,
                report.has_contexts(),
                report.summary.has_arcs()
            ),
        ]);
        folder.old = folder.read_status().unwrap_or_default();
        // Until the end nothing is certain about what is there.
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
            // Everything changes; what is no longer part of the report is still to be removed.
            status.files.values_mut().for_each(String::clear);
        }
        Some(status)
    }

    /// Whether a file is as it was.
    fn is_there(&self, name: &str, hash: &str) -> bool {
        self.old.files.get(name).is_some_and(|old| old == hash) && self.path.join(name).is_file()
    }

    fn put(&self, name: &str, content: &[u8]) -> Result<()> {
        let path = self.path.join(name);
        replace(&path, content).map_err(|err| Error::from(err).with_path(path))
    }

    /// Write a file unless it is there already.
    fn put_changed(
        &self,
        name: String,
        content: &[u8],
        files: &mut BTreeMap<String, String>,
    ) -> Result<()> {
        let hash = short_hash(&blake3::hash(content));
        if !self.is_there(&name, &hash) {
            self.put(&name, content)?;
        }
        files.insert(name, hash);
        Ok(())
    }

    fn write_assets(&self, files: &mut BTreeMap<String, String>) -> Result<()> {
        self.put_changed(self.style.clone(), STYLE.as_bytes(), files)?;
        self.put_changed(self.script.clone(), SCRIPT.as_bytes(), files)?;
        if let Some(name) = &self.live {
            self.put_changed(name.clone(), LIVE.as_bytes(), files)?;
        }
        if let (Some(name), Some(css)) = (&self.extra_style, &self.report.options.extra_css) {
            self.put_changed(name.clone(), css, files)?;
        }
        Ok(())
    }

    #[cfg(feature = "parallel")]
    fn write_pages(&self) -> Result<Vec<Written>> {
        use rayon::prelude::*;
        let pages = self.report.pages.par_iter().enumerate();
        pages
            .map_init(Scratch::default, |into, (at, page)| self.write_page(at, page, into))
            .collect()
    }

    #[cfg(not(feature = "parallel"))]
    fn write_pages(&self) -> Result<Vec<Written>> {
        let mut scratch = Scratch::default();
        let pages = self.report.pages.iter().enumerate();
        pages.map(|(at, page)| self.write_page(at, page, &mut scratch)).collect()
    }

    fn write_page(&self, at: usize, page: &Page<'_>, into: &mut Scratch) -> Result<Written> {
        let report = self.report;
        let text = report.summary.source(page.file)?.text().to_owned();
        let contexts = line_contexts(report, page);
        let encoded = match &contexts {
            Some(contexts) => Some(script(&format!("ctx.{}", page.name), &contexts.encode())?),
            None => None,
        };
        let hash = self.hash_of_page(at, page, &text, encoded.as_deref().unwrap_or_default());
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
                self.put(&format!("{}.html", part.name), into.page.as_bytes())?;
                into.body = part.body;
            }
            if let Some(encoded) = encoded {
                self.put(&format!("ctx.{}.js", page.name), encoded.as_bytes())?;
            }
        }
        let runs = contexts.iter().flat_map(LineContexts::runs).collect();
        Ok(Written { files, text, hash, runs })
    }

    /// A hash of all that a page is made of, but for what all pages have in common.
    fn hash_of_page(&self, at: usize, page: &Page<'_>, text: &str, contexts: &str) -> String {
        let (previous, next) = self.report.neighbours(at);
        let analysis = page.analysis;
        let mut hasher = Inputs::default();
        [text, &page.shown, previous, next, contexts].iter().for_each(|text| hasher.add(text));
        for lines in [analysis.statements(), analysis.missing(), analysis.excluded()] {
            hasher.add_numbers(lines.iter().copied());
        }
        let arcs = analysis.missing_branch_arcs();
        hasher.add_numbers(arcs.iter().flat_map(|&(from, to)| [from, to]));
        hasher.add(&format!("{:?}", page.file.numbers()));
        hasher.finish()
    }

    /// Append a page that is a file of its own.
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
        self.put_changed(format!("{}.html", part.name), page.as_bytes(), files)
    }

    /// Source text to search in; a file of it is written again if one of its sources changed.
    fn write_texts(&self, pages: &[Written], files: &mut BTreeMap<String, String>) -> Result<()> {
        let count = texts::count(&self.report.pages);
        let mut shards: Vec<Vec<(&str, &Written)>> = vec![Vec::new(); count];
        for (page, written) in self.report.pages.iter().zip(pages) {
            if let Some(shard) = shards.get_mut(texts::place(&page.name, count)) {
                shard.push((&page.name, written));
            }
        }
        for (at, shard) in shards.iter().enumerate() {
            let name = format!("text{at}");
            let file = format!("data.{name}.js");
            let hash = hash_of(shard.iter().flat_map(|(name, page)| [*name, &page.hash]));
            if !self.is_there(&file, &hash) {
                let texts = shard.iter().map(|(name, page)| (*name, page.text.as_str())).collect();
                self.put(&file, script(&name, &Texts(texts))?.as_bytes())?;
            }
            files.insert(file, hash);
        }
        Ok(())
    }

    fn write_tables(&self, pages: &[Written], files: &mut BTreeMap<String, String>) -> Result<()> {
        let runs: Vec<&[Run]> = pages.iter().map(|page| page.runs.as_slice()).collect();
        for (name, content) in tables(self.report, &runs)? {
            let content = format!("pulpcov(\"{name}\",{content})\n");
            self.put_changed(format!("data.{name}.js"), content.as_bytes(), files)?;
        }
        Ok(())
    }

    /// Remove what the earlier report wrote and this one did not.
    fn remove_what_is_gone(&self, files: &BTreeMap<String, String>) {
        for name in self.old.files.keys().filter(|name| !files.contains_key(*name)) {
            // The list is a file that anybody may have changed.
            let is_ours = name.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-".contains(&b))
                && [".html", ".js", ".css"].iter().any(|end| name.ends_with(end));
            if is_ours {
                // A page too many does no harm.
                let _ = fs::remove_file(self.path.join(name));
            }
        }
    }

    fn finish(&self, mut files: BTreeMap<String, String>) -> Result<()> {
        if self.live.is_some() {
            // Last, so that a page that is loaded for it is a new one.
            let stamp = hash_of(files.iter().flat_map(|(name, hash)| [name.as_str(), hash]));
            let data = json(&[&stamp, &self.report.options.timestamp])?;
            self.put(LIVE_DATA, format!("pulpcovLive(...{data})\n").as_bytes())?;
            files.insert(LIVE_DATA.to_owned(), stamp);
        }
        let status = Status {
            note: STATUS_NOTE.to_owned(),
            format: STATUS_FORMAT,
            globals: self.globals.clone(),
            files,
        };
        let json = serde_json::to_vec(&status).map_err(io::Error::from)?;
        self.put(STATUS_FILE, &json)
    }
}

/// Who ran the lines of a page that are marked.
pub(super) fn line_contexts(report: &Report<'_>, page: &Page<'_>) -> Option<LineContexts> {
    let names = report.contexts.as_ref()?;
    let analysis = page.analysis;
    let marked = analysis.statements().iter().chain(analysis.excluded());
    let marked = marked.filter_map(|&line| u32::try_from(line).ok()).collect();
    Some(LineContexts::new(report.summary.lines_by_context(page.file), names, &marked))
}

/// The figures, and the contexts if there are any: names and JSON.
pub(super) fn tables(report: &Report<'_>, runs: &[&[Run]]) -> Result<Vec<(&'static str, String)>> {
    let mut tables = vec![
        ("files", json(&Files::new(report, texts::count(&report.pages)))?),
        ("functions", json(&Regions::new(report, RegionKind::Function))?),
        ("classes", json(&Regions::new(report, RegionKind::Class))?),
    ];
    if let Some(contexts) = &report.contexts {
        tables.push(("contexts", json(&views::shown_contexts(&contexts.names))?));
        tables.push(("runs", json(&runs_by_context(contexts.names.len(), runs))?));
    }
    Ok(tables)
}

/// For each context: how many files further, how many lines, how many of them alone.
fn runs_by_context(contexts: usize, runs: &[&[Run]]) -> Vec<String> {
    let mut by_context = vec![(String::new(), 0_u32); contexts];
    for (file, runs) in (0..).zip(runs) {
        for run in *runs {
            if let Some((text, last)) = by_context.get_mut(run.context as usize) {
                push_number(text, file - *last);
                push_number(text, run.lines);
                push_number(text, run.alone);
                *last = file;
            }
        }
    }
    by_context.into_iter().map(|(text, _)| text).collect()
}

/// A script that hands data to the report's script.
fn script(name: &str, data: &impl Serialize) -> Result<String> {
    Ok(format!("pulpcov(\"{name}\",{})\n", json(data)?))
}

pub(super) fn json(data: &impl Serialize) -> Result<String> {
    Ok(escape::json(data)?)
}

fn hash_of<'s>(parts: impl IntoIterator<Item = &'s str>) -> String {
    let mut inputs = Inputs::default();
    parts.into_iter().for_each(|part| inputs.add(part));
    inputs.finish()
}

/// Hashes texts and numbers one after the other, so that none can be mistaken for two.
#[derive(Default)]
struct Inputs {
    hasher: blake3::Hasher,
    numbers: Vec<u8>,
}

impl Inputs {
    fn add(&mut self, text: &str) {
        self.hasher.update(&(text.len() as u64).to_le_bytes());
        self.hasher.update(text.as_bytes());
    }

    fn add_numbers(&mut self, numbers: impl Iterator<Item = i32>) {
        self.numbers.clear();
        self.numbers.extend(numbers.flat_map(i32::to_le_bytes));
        self.hasher.update(&(self.numbers.len() as u64).to_le_bytes());
        self.hasher.update(&self.numbers);
    }

    fn finish(&self) -> String {
        short_hash(&self.hasher.finalize())
    }
}

fn short_hash(hash: &blake3::Hash) -> String {
    hash.to_hex().get(..32).unwrap_or_default().to_owned()
}
