//! The settings of a file as a tree, in either dialect, with the line of each.

use std::path::{Component, Path, PathBuf};

use super::super::ini::Ini;
use super::super::toml::Toml;
use crate::gates::Limits;
use crate::results::Floor;
use crate::{Error, ErrorKind, Position, Result};

/// The prefix of sections in INI files.
const PREFIX: &str = "pulpcov";

/// The table in TOML files of several tools.
const TOML_TABLE: &str = "tool.pulpcov";

/// A table or a section.
#[derive(Debug, Default)]
pub(in crate::config) struct Table {
    items: Vec<Item>,
}

/// A setting, with its place.
#[derive(Debug)]
pub(in crate::config) struct Item {
    section: String,
    name: String,
    line: Option<usize>,
    value: Tree,
}

/// A value.
#[derive(Debug)]
pub(in crate::config) enum Tree {
    /// Text of an INI file, which may stand for anything.
    Ini(String),
    Text(String),
    /// A number as it is written.
    Number(String),
    List(Vec<Item>),
    Table(Table),
    /// A value that no setting has, in the words of a message.
    Other(&'static str),
}

impl Table {
    pub(in crate::config) fn push(&mut self, item: Item) {
        self.items.push(item);
    }

    pub(super) fn items(&self) -> &[Item] {
        &self.items
    }
}

impl Item {
    pub(in crate::config) fn new(
        section: impl Into<String>,
        name: impl Into<String>,
        line: Option<usize>,
        value: Tree,
    ) -> Self {
        Self { section: section.into(), name: name.into(), line, value }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Returns the error that the value cannot be used.
    pub(super) fn refused(&self, why: &str) -> Error {
        let position = Position::Option {
            section: self.section.clone(),
            option: self.name.clone(),
            line: self.line,
        };
        Error::new(ErrorKind::Config, why).at(position)
    }

    pub(super) fn table(&self) -> Result<&Table> {
        match &self.value {
            Tree::Table(table) => Ok(table),
            _ => Err(self.refused("this must be a table")),
        }
    }

    /// Reads a list of tables.
    pub(super) fn tables(&self) -> Result<&[Item]> {
        match &self.value {
            Tree::List(items) => Ok(items),
            _ => Err(self.refused("this must be a list of tables")),
        }
    }

    pub(super) fn text(&self) -> Result<String> {
        match &self.value {
            Tree::Ini(text) | Tree::Text(text) if text.trim().is_empty() => {
                Err(self.refused("this must not be empty"))
            }
            Tree::Ini(text) | Tree::Text(text) => Ok(text.clone()),
            _ => Err(self.refused("this must be a string")),
        }
    }

    /// Reads a string, or a list of strings. In an INI file, commas and line ends separate them.
    pub(super) fn texts(&self) -> Result<Vec<String>> {
        match &self.value {
            Tree::Ini(text) => {
                let parts = text.split(['\n', ',']).map(str::trim);
                Ok(parts.filter(|part| !part.is_empty()).map(str::to_owned).collect())
            }
            Tree::List(items) => items.iter().map(Self::text).collect(),
            _ => Ok(vec![self.text()?]),
        }
    }

    /// Reads a percentage.
    pub(super) fn floor(&self) -> Result<Floor> {
        self.scalar()?.parse().map_err(|err: Error| self.refused(&err.reason()))
    }

    /// Reads a count.
    pub(super) fn count(&self) -> Result<usize> {
        let text = self.scalar()?;
        let is_number = !text.is_empty() && text.bytes().all(|digit| digit.is_ascii_digit());
        let count = text.parse().ok().filter(|_| is_number);
        count.ok_or_else(|| self.refused(&format!("{text:?} is not a count")))
    }

    /// Reads limits: a percentage, a table, or a table as text.
    pub(super) fn limits(&self) -> Result<Limits> {
        let Tree::Table(table) = &self.value else {
            return self.scalar()?.parse().map_err(|err: Error| self.refused(&err.reason()));
        };
        if table.items.is_empty() {
            return Err(self.refused("there is no limit: write a percentage, or `lines = 90`"));
        }
        table.items.iter().try_fold(Limits::new(), |limits, item| {
            limits.with(&item.name, item.scalar()?).map_err(|err| item.refused(&err.reason()))
        })
    }

    /// Reads the path of a file in the folder of the settings or below.
    pub(super) fn path_below(&self) -> Result<PathBuf> {
        let path = PathBuf::from(self.text()?);
        match is_below(&path) {
            true => Ok(path),
            false => Err(self.refused(
                "this must be the path of a file in this folder or below: settings that come with a repository must not choose files elsewhere",
            )),
        }
    }

    /// Returns the text of a number, or text that may be one.
    fn scalar(&self) -> Result<&str> {
        match &self.value {
            Tree::Ini(text) | Tree::Text(text) | Tree::Number(text) => Ok(text.trim()),
            Tree::Other(what) => Err(self.refused(&format!("this must be a number, not {what}"))),
            Tree::List(_) => Err(self.refused("this must be a number, not a list")),
            Tree::Table(_) => Err(self.refused("this must be a number, not a table")),
        }
    }
}

fn is_below(path: &Path) -> bool {
    let is_name = |part: Component<'_>| matches!(part, Component::Normal(_) | Component::CurDir);
    path.file_name().is_some() && path.components().all(is_name)
}

/// Returns the settings of a TOML file, if it has some. In a file that is `ours`, everything is.
pub(super) fn of_toml(toml: &Toml<'_>, is_ours: bool) -> Result<Option<Table>> {
    match is_ours {
        true => Ok(Some(toml.root().tree(""))),
        false => match toml.table(TOML_TABLE) {
            Ok(table) => Ok(table.map(|table| table.tree(TOML_TABLE))),
            Err(not) => {
                let position = Position::Line { line: not.line, column: None };
                let why = format!("[{}] is not a table (at line {})", not.name, not.line);
                Err(Error::new(ErrorKind::Config, why).at(position))
            }
        },
    }
}

/// Returns the settings of an INI file, if it has some.
///
/// `[pulpcov]` is the top level, `[pulpcov:gate]` a table, and `[pulpcov:gate:NAME]` one of its rules.
pub(super) fn of_ini(ini: &Ini) -> Option<Table> {
    let mut top = Table::default();
    let mut is_any = false;
    for section in ini.section_names() {
        let Some(path) = section.strip_prefix(PREFIX) else { continue };
        let table = || {
            let item = |(name, value, line)| Item::new(section, name, Some(line), Tree::Ini(value));
            ini.own_options(section).map(item).collect::<Vec<_>>()
        };
        let mut names = path.splitn(3, ':');
        match (names.next(), names.next(), names.next()) {
            (Some(""), None, _) => top.items.extend(table()),
            (Some(""), Some(name), None) => {
                let known = top.items.iter_mut().find(|item| item.name == name);
                match known.map(|item| &mut item.value) {
                    Some(Tree::Table(known)) => known.items.extend(table()),
                    _ => top.push(of_section(section, name, table())),
                }
            }
            (Some(""), Some(name), Some(_)) => {
                let rule = of_section(section, "paths", table());
                push_rule(&mut top, section, name, rule);
            }
            _ => continue,
        }
        is_any = true;
    }
    is_any.then_some(top)
}

fn of_section(section: &str, name: &str, items: Vec<Item>) -> Item {
    let line = items.first().and_then(|item| item.line);
    Item::new(section, name, line, Tree::Table(Table { items }))
}

/// Adds a rule to the list `rules` of a table.
fn push_rule(top: &mut Table, section: &str, name: &str, rule: Item) {
    if top.items.iter().all(|item| item.name != name) {
        top.push(of_section(section, name, Vec::new()));
    }
    let table = top.items.iter_mut().find(|item| item.name == name);
    let Some(Tree::Table(table)) = table.map(|item| &mut item.value) else { return };
    if table.items.iter().all(|item| item.name != "rules") {
        table.push(Item::new(section, "rules", rule.line, Tree::List(Vec::new())));
    }
    let rules = table.items.iter_mut().find(|item| item.name == "rules");
    if let Some(Tree::List(rules)) = rules.map(|item| &mut item.value) {
        rules.push(rule);
    }
}
