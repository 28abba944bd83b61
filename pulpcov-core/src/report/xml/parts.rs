//! The report in parts of a limited size, for GitLab.

use super::{Class, Hits, INDENT, Options, Package, Packages, end_package, start, start_package};
use crate::Result;
use crate::report::RepositoryFiles;
use crate::report::parallel::render_in_order;
use crate::report::xml_writer::{Tag, XmlWriter};

/// The most bytes of a file that GitLab reads.
///
/// The source is GitLab's documentation: a Cobertura file must be smaller than 10 MiB.
pub const GITLAB_LIMIT: usize = (10 << 20) - 1;

/// The most bytes that a part has besides its packages.
const AROUND: usize = 1024;

/// A part of the report, which is a report itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    text: Vec<u8>,
    too_large: Option<String>,
}

impl Part {
    /// Returns the XML.
    pub fn text(&self) -> &[u8] {
        &self.text
    }

    /// Returns the name of the file in this part if that file alone is larger than a part may be.
    pub fn too_large(&self) -> Option<&str> {
        self.too_large.as_deref()
    }
}

/// Writes the report in parts of at most `max_bytes`, such as [`GITLAB_LIMIT`]. There is at least one.
///
/// Names of files are those of the repository, so the [sources](Options::sources) and the [root](Options::root) of the
/// options do not count. The files of a package are in one part, unless the package alone is too large.
///
/// # Errors
///
/// [`ErrorKind::NoData`](crate::ErrorKind::NoData) if the summary does not keep the
/// [lines](crate::summarize::Detail::Lines).
///
/// # Examples
///
/// ```
/// use std::path::Path;
///
/// use pulpcov_core::report::RepositoryFiles;
/// use pulpcov_core::report::xml::{GITLAB_LIMIT, Options, parts};
/// use pulpcov_core::summarize::Summarizer;
/// use pulpcov_core::{CoverageData, Numbits};
///
/// let mut data = CoverageData::new();
/// for name in ["app/a.py", "app/b.py", "lib/c.py"] {
///     data.add_lines(name, "", &Numbits::from_iter([1]))?;
/// }
/// let sources = |_: &Path| Ok(Some(b"x = 1\n".to_vec()));
/// let summary = Summarizer::new(&data, &sources).run()?;
/// let files = RepositoryFiles::new(&summary, "")?;
///
/// assert_eq!(parts(&files, &Options::new(), GITLAB_LIMIT)?.len(), 1);
/// let parts = parts(&files, &Options::new(), 1900)?;
/// assert_eq!(parts.len(), 2);
/// assert!(String::from_utf8_lossy(parts[1].text()).contains(r#"filename="lib/c.py""#));
/// # Ok::<(), pulpcov_core::Error>(())
/// ```
pub fn parts(
    files: &RepositoryFiles<'_>,
    options: &Options,
    max_bytes: usize,
) -> Result<Vec<Part>> {
    let summary = files.summary();
    let mut packages = Packages::new();
    for (name, file) in files.iter() {
        if file.numbers().statements > 0 || !options.skip_empty {
            let (name, shown) = (name.to_owned(), name.to_owned());
            packages.add(Class::named(file, name, shown, summary, options.package_depth)?);
        }
    }
    let (has_arcs, timestamp) = (summary.has_arcs(), options.timestamp);
    let mut parts = Parts { max_bytes, timestamp, has_arcs, done: Vec::new() };
    let mut part = Draft::default();
    for package in packages.sorted() {
        let classes = parts.render(&package)?;
        let size: usize = classes.iter().map(|class| class.text.len()).sum();
        let size = size + around(&package.name);
        if !part.is_empty() && part.size + size > parts.room() {
            parts.finish(std::mem::take(&mut part))?;
        }
        for class in classes {
            let needed = part.size + class.text.len() + around(&package.name);
            if !part.is_empty() && needed > parts.room() {
                parts.finish(std::mem::take(&mut part))?;
            }
            part.add(&package.name, class);
        }
    }
    if !part.is_empty() || parts.done.is_empty() {
        parts.finish(part)?;
    }
    Ok(parts.done)
}

/// Returns the most bytes that a package has besides its classes.
fn around(name: &str) -> usize {
    // A character has six bytes at most when it is escaped.
    200 + 6 * name.len()
}

/// A class as XML.
struct RenderedClass {
    name: String,
    hits: Hits,
    text: Vec<u8>,
}

/// What a part will have.
#[derive(Default)]
struct Draft {
    packages: Vec<(String, Vec<RenderedClass>)>,
    size: usize,
}

impl Draft {
    fn is_empty(&self) -> bool {
        self.packages.is_empty()
    }

    fn add(&mut self, package: &str, class: RenderedClass) {
        self.size += class.text.len();
        match self.packages.last_mut() {
            Some((name, classes)) if name == package => classes.push(class),
            _ => {
                self.size += around(package);
                self.packages.push((package.to_owned(), vec![class]));
            }
        }
    }

    fn classes(&self) -> impl Iterator<Item = &RenderedClass> {
        self.packages.iter().flat_map(|(_, classes)| classes)
    }
}

struct Parts {
    max_bytes: usize,
    timestamp: u128,
    has_arcs: bool,
    done: Vec<Part>,
}

impl Parts {
    /// Returns the bytes that the packages of a part may have.
    fn room(&self) -> usize {
        self.max_bytes.saturating_sub(AROUND)
    }

    fn render(&self, package: &Package<'_>) -> Result<Vec<RenderedClass>> {
        let render = |class: &Class<'_>| class.rendered(self.has_arcs);
        let mut texts = Vec::new();
        render_in_order(&package.classes, &mut std::io::sink(), render, |_, text| {
            texts.push(text);
            Ok(())
        })?;
        let rendered = package.classes.iter().zip(texts).map(|(class, text)| RenderedClass {
            name: class.shown.clone(),
            hits: class.hits,
            text,
        });
        Ok(rendered.collect())
    }

    fn finish(&mut self, part: Draft) -> Result<()> {
        let mut xml = XmlWriter::new(Vec::new(), INDENT);
        start(sum(part.classes()), self.has_arcs, self.timestamp, &mut xml)?;
        xml.start(Tag::new("packages"))?;
        for (name, classes) in &part.packages {
            start_package(name, sum(classes), self.has_arcs, &mut xml)?;
            classes.iter().try_for_each(|class| xml.rendered(&class.text))?;
            end_package(&mut xml)?;
        }
        xml.end("packages")?;
        xml.end("coverage")?;
        let text = xml.finish()?;
        let is_too_large = text.len() > self.max_bytes;
        let first = part.classes().next().filter(|_| is_too_large);
        let too_large = first.map(|class| class.name.clone());
        self.done.push(Part { text, too_large });
        Ok(())
    }
}

fn sum<'c>(classes: impl IntoIterator<Item = &'c RenderedClass>) -> Hits {
    classes.into_iter().fold(Hits::default(), |sum, class| sum.plus(class.hits))
}
